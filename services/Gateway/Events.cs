using LeanPipe.Contracts;

namespace LeanPipe.Gateway;

/// <summary>Every line the gateway logs.</summary>
static partial class Events
{
    [LoggerMessage(1, LogLevel.Information, "The log in {Folder} was read back: {Files} files, {Bytes} bytes, next connection {NextConnection}.")]
    public static partial void LogRecovered(this ILogger logger, string folder, int files, long bytes, long nextConnection);

    [LoggerMessage(2, LogLevel.Warning, "A torn last batch of {Bytes} bytes was cut from the log. Nothing in it had been acknowledged.")]
    public static partial void LogTornTailCut(this ILogger logger, long bytes);

    [LoggerMessage(3, LogLevel.Warning, "The disk of the log is full; reading stops and the commit is tried again.")]
    public static partial void LogDiskFull(this ILogger logger, Exception reason);

    [LoggerMessage(4, LogLevel.Critical, "The log cannot be written; what is not acknowledged yet is lost unless the peers send it again. The gateway stops; when it starts again it reads back what is durable.")]
    public static partial void LogFailed(this ILogger logger, Exception reason);

    [LoggerMessage(5, LogLevel.Information, "Stream {Stream} listens on {Endpoint}.")]
    public static partial void Listening(this ILogger logger, StreamName stream, string endpoint);

    [LoggerMessage(7, LogLevel.Warning, "The store failed at '{Key}' ({Attempts} times so far); it is tried again, nothing is dropped.")]
    public static partial void StoreFailed(this ILogger logger, string key, int attempts, Exception reason);

    [LoggerMessage(8, LogLevel.Information, "Stream {Stream}: window {Window} is sealed as revision {Revision} ({Reason}), {Segments} segments, {Rows} rows.")]
    public static partial void WindowSealed(this ILogger logger, StreamName stream, WindowId window, int revision, string reason, int segments, long rows);

    [LoggerMessage(9, LogLevel.Warning, "The sidecar did not take the event of stream {Stream}, window {Window}, revision {Revision}; it is published again.")]
    public static partial void PublishFailed(this ILogger logger, StreamName stream, WindowId window, int revision, Exception reason);

    [LoggerMessage(10, LogLevel.Information, "Drained: {Bytes} bytes of the log are not in the store yet and follow after the next start.")]
    public static partial void Drained(this ILogger logger, long bytes);

    [LoggerMessage(11, LogLevel.Warning, "The log's new file could not be made; the present one grows on.")]
    public static partial void LogNotRolled(this ILogger logger, Exception reason);

    [LoggerMessage(12, LogLevel.Warning, "The log holds stream {Stream}, which has no document. Its segments are uploaded and its windows sealed by what the document said last.")]
    public static partial void StreamWithoutDocument(this ILogger logger, StreamName stream);

    [LoggerMessage(19, LogLevel.Warning, "There is no stream document below '{Folder}'; the gateway listens for none until there is one.")]
    public static partial void NoStreams(this ILogger logger, string folder);

    [LoggerMessage(13, LogLevel.Error, "A connection of stream {Stream} ended by a fault of the gateway.")]
    public static partial void ConnectionFailed(this ILogger logger, StreamName stream, Exception reason);

    [LoggerMessage(15, LogLevel.Critical, "The log in {Folder} is damaged, and the gateway goes on without what is lost: {Lost}. The damaged files will be kept in its folder 'quarantine'.")]
    public static partial void LogDamageAccepted(this ILogger logger, string folder, string lost);

    [LoggerMessage(16, LogLevel.Warning, "The damaged log was compared with the lake: {Found} segments were there already, {Cut} lines that no cut is known of are uploaded on their own.")]
    public static partial void LogReconciled(this ILogger logger, int found, int cut);

    [LoggerMessage(17, LogLevel.Warning, "The log in {Folder} belongs to the gateway {Owner}; it goes on under that name, not as {Id}.")]
    public static partial void LogOfAnotherGateway(this ILogger logger, string folder, string owner, string id);

    [LoggerMessage(14, LogLevel.Error, "Cutting, uploading or sealing failed; it is tried again.")]
    public static partial void ShippingFailed(this ILogger logger, Exception reason);

    [LoggerMessage(18, LogLevel.Error, "Frames that are written cannot be validated; they stay in the log.")]
    public static partial void ValidationFailed(this ILogger logger, Exception reason);

    [LoggerMessage(40, LogLevel.Information, "Stream {Stream}: the changed document is in force, schema {Schema}.")]
    public static partial void DocumentTaken(this ILogger logger, StreamName stream, string schema);

    [LoggerMessage(41, LogLevel.Error, "Changed stream documents are refused, what ran before runs on: {Reason}")]
    public static partial void DocumentRefused(this ILogger logger, string reason);

    [LoggerMessage(43, LogLevel.Information, "Stream {Stream} has no document any more: its connections are drained, nobody comes in, its windows are sealed.")]
    public static partial void StreamWithdrawn(this ILogger logger, StreamName stream);
}
