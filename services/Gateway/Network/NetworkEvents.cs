using LeanPipe.Contracts;

namespace LeanPipe.Gateway.Network;

/// <summary>What the gateway logs about connections. Their ids begin at 100.</summary>
static partial class NetworkEvents
{
    [LoggerMessage(100, LogLevel.Warning, "Stream {Stream} refused a connection from {Peer}: {Reason}. {Others} more were refused for this reason since the last such line.")]
    public static partial void ConnectionRefused(this ILogger logger, StreamName stream, string peer, string reason, long others);

    [LoggerMessage(101, LogLevel.Warning, "Stream {Stream} lost or closed the connection of {Peer}: {Reason}. {Others} more ended for this reason since the last such line.")]
    public static partial void ConnectionEnded(this ILogger logger, StreamName stream, string peer, string reason, long others);

    [LoggerMessage(102, LogLevel.Information, "Stream {Stream} has a new certificate, valid until {NotAfter}.")]
    public static partial void CertificateLoaded(this ILogger logger, StreamName stream, DateTimeOffset notAfter);

    [LoggerMessage(103, LogLevel.Warning, "Stream {Stream}: the new certificate is refused, the one before it stays.")]
    public static partial void CertificateRefused(this ILogger logger, StreamName stream, Exception reason);
}
