namespace Dapr;

/// <summary>A call to the sidecar failed: it was not there, or it refused.</summary>
public class DaprException : Exception
{
    /// <param name="message">What was attempted and what came back.</param>
    public DaprException(string message)
        : base(message)
    {
    }

    /// <param name="message">What was attempted and what came back.</param>
    /// <param name="innerException">The transport's own failure.</param>
    public DaprException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
