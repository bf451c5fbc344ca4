using LeanPipe.Contracts;

namespace LeanPipe.Gateway;

/// <summary>What the running gateway does to windows, for whoever shows it. Handlers are called on the gateway's own tasks and must return soon.</summary>
public sealed class GatewayProgress
{
    /// <summary>The manifest of the revision is in the lake.</summary>
    public event Action<WindowSealed>? Sealed;

    /// <summary>The sidecar has the revision's event.</summary>
    public event Action<WindowSealed>? Published;

    /// <summary>Changed stream documents were read; some may have been refused (<see cref="GatewayHealth"/> says so).</summary>
    public event Action? DocumentsRead;

    internal void OnDocumentsRead() => DocumentsRead?.Invoke();

    internal void OnSealed(WindowSealed window) => Sealed?.Invoke(window);

    internal void OnPublished(WindowSealed window) => Published?.Invoke(window);
}
