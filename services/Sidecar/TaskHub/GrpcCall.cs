using System.Buffers;
using System.IO.Pipelines;
using Google.Protobuf;
using LeanPipe.DaprWire;
using LeanPipe.Sidecar.Workflows;

namespace LeanPipe.Sidecar.TaskHub;

/// <summary>One call of gRPC over Kestrel's HTTP/2: request frame in, response frames and status trailer out.</summary>
static class GrpcCall
{
    // Enough for what a message says of itself before its payload.
    const int BeginningBytes = 4096;

    /// <summary>Anything else gets HTTP's own refusal, as the protocol asks: its sender does not read trailers.</summary>
    public static bool IsGrpc(HttpContext context)
    {
        var type = context.Request.ContentType ?? "";
        return HttpMethods.IsPost(context.Request.Method) && type.StartsWith(GrpcHeaders.ContentType, StringComparison.OrdinalIgnoreCase)
            && (type.Length == GrpcHeaders.ContentType.Length || type[GrpcHeaders.ContentType.Length] is '+' or ';');
    }

    /// <summary>Reads the one request message, or answers why it cannot be read and returns null.</summary>
    /// <param name="context">The call.</param>
    /// <param name="parser">Of the request.</param>
    /// <param name="maxMessageBytes">A longer message is not read.</param>
    /// <param name="tooLarge">Gets the beginning of such a message, and its length.</param>
    public static async Task<T?> ReadAsync<T>(HttpContext context, MessageParser<T> parser, int maxMessageBytes, Func<byte[], long, Task>? tooLarge = null)
        where T : class, IMessage<T>
    {
        var frame = await GrpcFrames.ReadAsync(context.Request.BodyReader, maxMessageBytes, context.RequestAborted);
        var fault = frame.Fault switch
        {
            GrpcFrameFault.TooLarge => new Fault(
                GrpcStatusCode.ResourceExhausted, $"grpc: received message larger than max ({frame.AnnouncedBytes} vs. {maxMessageBytes})"),
            GrpcFrameFault.Compressed => new Fault(GrpcStatusCode.Unimplemented, "grpc: compressed messages are not taken; send identity"),
            GrpcFrameFault.End or GrpcFrameFault.Truncated => new Fault(GrpcStatusCode.Internal, "grpc: the request ended before its message"),
            _ => null,
        };
        // What this sidecar does not know is not kept: it could be nested so deep that its own journal could not be read again.
        if (fault is null && frame.TryParse(parser.WithDiscardUnknownFields(true), out var message))
            return message;
        if (frame.Fault == GrpcFrameFault.TooLarge && tooLarge is not null)
            await tooLarge(await BeginningAsync(context.Request.BodyReader, context.RequestAborted), frame.AnnouncedBytes);

        Fail(context, fault ?? new Fault(GrpcStatusCode.Internal, $"grpc: the bytes are not a {typeof(T).Name}"));
        return null;
    }

    // The frame's prefix is still in the reader.
    static async Task<byte[]> BeginningAsync(PipeReader body, CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await body.ReadAsync(cancellationToken);
            var enough = read.Buffer.Length >= GrpcFrames.PrefixBytes + BeginningBytes;
            if (enough || read.IsCompleted)
            {
                var start = read.Buffer.Slice(Math.Min(GrpcFrames.PrefixBytes, read.Buffer.Length));
                var bytes = start.Slice(0, Math.Min(BeginningBytes, start.Length)).ToArray();
                body.AdvanceTo(read.Buffer.End);
                return bytes;
            }

            body.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    /// <summary>Writes the one response message of a unary call and its status.</summary>
    public static async Task AnswerAsync(HttpContext context, IMessage message, int maxMessageBytes)
    {
        var bytes = message.CalculateSize();
        if (bytes > maxMessageBytes)
        {
            Fail(context, new Fault(GrpcStatusCode.ResourceExhausted, $"trying to send message larger than max ({bytes} vs. {maxMessageBytes})"));
            return;
        }

        Begin(context);
        GrpcFrames.Write(context.Response.BodyWriter, message);
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
        context.Response.AppendTrailer(GrpcHeaders.Status, "0");
    }

    /// <summary>Sends the headers now, so that the caller knows the stream is open before there is a first message.</summary>
    public static async Task BeginStreamAsync(HttpContext context)
    {
        Begin(context);
        await context.Response.StartAsync(context.RequestAborted);
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }

    /// <summary>A status with headers only, or behind what a stream has sent.</summary>
    public static void Fail(HttpContext context, Fault fault)
    {
        var (status, message) = (((int)fault.Code).ToString(), GrpcHeaders.EncodeMessage(fault.Message));
        if (context.Response.HasStarted)
        {
            context.Response.AppendTrailer(GrpcHeaders.Status, status);
            context.Response.AppendTrailer(GrpcHeaders.Message, message);
            return;
        }

        Begin(context);
        context.Response.Headers[GrpcHeaders.Status] = status;
        context.Response.Headers[GrpcHeaders.Message] = message;
    }

    static void Begin(HttpContext context)
    {
        context.Response.StatusCode = StatusCodes.Status200OK;
        context.Response.ContentType = GrpcHeaders.ContentType;
        context.Response.Headers[GrpcHeaders.AcceptEncoding] = "identity";
    }
}
