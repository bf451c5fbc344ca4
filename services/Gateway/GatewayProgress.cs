using LeanPipe.Contracts;

namespace LeanPipe.Gateway;

/// <summary>What the running gateway does to windows, for whoever shows it. Handlers are called on the gateway's own tasks and must return soon.</summary>
public sealed class GatewayProgress
{
    /// <summary>The manifest of the revision is in the lake.</summary>
    public event Action<WindowSealed>? Sealed;

    /// <summary>The sidecar has the revision's event.</summary>
    public event Action<WindowSealed>? Published;

    internal void OnSealed(WindowSealed window) => Sealed?.Invoke(window);

    internal void OnPublished(WindowSealed window) => Published?.Invoke(window);
}
