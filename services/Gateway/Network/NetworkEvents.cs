using LeanPipe.Contracts;

namespace LeanPipe.Gateway.Network;

/// <summary>What the gateway logs about connections. Their ids begin at 100.</summary>
static partial class NetworkEvents
{
    [LoggerMessage(100, LogLevel.Warning, "Stream {Stream} refused a connection from {Peer}: {Reason}. {Others} more were refused for this reason since the last such line.")]
    public static partial void ConnectionRefused(this ILogger logger, StreamName stream, string peer, string reason, long others);

    [LoggerMessage(101, LogLevel.Warning, "Stream {Stream} lost or closed the connection of {Peer}: {Reason}. {Others} more ended for this reason since the last such line.")]
    public static partial void ConnectionEnded(this ILogger logger, StreamName stream, string peer, string reason, long others);

    [LoggerMessage(104, LogLevel.Error, "The stream {Stream} cannot listen on {Listen}; it is tried again.")]
    public static partial void CannotListen(this ILogger logger, StreamName stream, string listen, Exception reason);

    [LoggerMessage(105, LogLevel.Information, "Stream {Stream} does not listen on {Endpoint} any more.")]
    public static partial void ListensNoMore(this ILogger logger, StreamName stream, string endpoint);

    [LoggerMessage(106, LogLevel.Error, "A connection to {Listen} could not be accepted; it is tried again.")]
    public static partial void AcceptFailed(this ILogger logger, string listen, Exception reason);

    [LoggerMessage(107, LogLevel.Error, "A connection to {Listen} ended by a fault of the gateway before it was in.")]
    public static partial void ServeFailed(this ILogger logger, string listen, Exception reason);

    [LoggerMessage(102, LogLevel.Information, "Stream {Stream} has a new certificate, valid until {NotAfter}.")]
    public static partial void CertificateLoaded(this ILogger logger, StreamName stream, DateTimeOffset notAfter);

    [LoggerMessage(103, LogLevel.Warning, "Stream {Stream}: the new certificate is refused, the one before it stays.")]
    public static partial void CertificateRefused(this ILogger logger, StreamName stream, Exception reason);
}
