using Google.Protobuf;
using LeanPipe.DaprWire;

namespace Dapr.Workflow.Grpc;

/// <summary>The messages of one call, in order. Disposing it before its end resets the stream, which the sidecar sees.</summary>
sealed class SidecarStream(HttpRequestMessage request, HttpResponseMessage response, Stream body, int? maxMessageBytes) : IDisposable
{
    /// <summary>The next message, or null when the call has ended with OK.</summary>
    /// <exception cref="SidecarCallException">The call ended with another status, or the connection broke.</exception>
    public async Task<T?> NextAsync<T>(MessageParser<T> parser, CancellationToken cancellationToken)
        where T : class, IMessage<T>
    {
        GrpcFrame frame;
        try
        {
            // No limit of our own unless asked for: the sidecar has one, and an item that is refused here comes again for ever.
            frame = await GrpcFrames.ReadAsync(body, maxMessageBytes ?? int.MaxValue, cancellationToken);
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            throw CallStatus.Broken(e);
        }

        if (frame.Fault == GrpcFrameFault.End)
        {
            CallStatus.ThrowIfFailed(response);
            return null;
        }

        if (frame.Fault == GrpcFrameFault.TooLarge)
        {
            throw new SidecarCallException(GrpcStatusCode.ResourceExhausted, "Received message exceeds the maximum configured message size.");
        }

        if (!frame.HasMessage)
        {
            throw new SidecarCallException(GrpcStatusCode.Internal, $"A frame of {frame.AnnouncedBytes} bytes cannot be read: {frame.Fault}.");
        }

        return frame.TryParse(parser, out var message)
            ? message
            : throw new SidecarCallException(GrpcStatusCode.Internal, $"A frame of {frame.AnnouncedBytes} bytes is not a {typeof(T).Name}.");
    }

    public void Dispose()
    {
        body.Dispose();
        response.Dispose();
        request.Dispose();
    }
}
