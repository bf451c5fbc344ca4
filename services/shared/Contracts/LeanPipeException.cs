namespace LeanPipe.Contracts;

/// <summary>The world failed, or we have a bug: something the peer of a call did not cause by what it sent.</summary>
/// <remarks>The message says what was found, where, what was expected and what to do; never a secret, never a record's contents.</remarks>
/// <param name="code">Stable, dotted and lower case, for scripts and metrics: <c>lake.manifest_conflict</c>.</param>
/// <param name="isTransient">Whether the same call may succeed later without anybody changing anything.</param>
public class LeanPipeException(string code, string message, bool isTransient = false, Exception? inner = null) : Exception(message, inner)
{
    public string Code { get; } = code;

    public bool IsTransient { get; } = isTransient;
}
