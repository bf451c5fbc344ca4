using Google.Protobuf;
using LeanPipe.DaprWire;
using LeanPipe.Sidecar.Workflows;

namespace LeanPipe.Sidecar.TaskHub;

/// <summary>One request message in, one response message or a fault out.</summary>
sealed class UnaryCall(SidecarOptions options, IHostApplicationLifetime lifetime)
{
    /// <param name="http">The call.</param>
    /// <param name="parser">Of the request.</param>
    /// <param name="handle">The token ends with the caller and with the sidecar.</param>
    /// <param name="tooLarge">Gets the beginning of a request that is refused for its length, and the length.</param>
    public async Task AnswerAsync<TRequest, TResponse>(
        HttpContext http,
        MessageParser<TRequest> parser,
        Func<TRequest, CancellationToken, Task<(TResponse?, Fault?)>> handle,
        Func<byte[], long, Task>? tooLarge = null)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage
    {
        if (await GrpcCall.ReadAsync(http, parser, options.MaxMessageBytes, tooLarge) is not { } request)
            return;

        using var stop = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, lifetime.ApplicationStopping);
        try
        {
            var (response, fault) = await handle(request, stop.Token);
            if (response is not null)
                await GrpcCall.AnswerAsync(http, response, options.MaxMessageBytes);
            else
                GrpcCall.Fail(http, fault!);
        }
        catch (OperationCanceledException) when (lifetime.ApplicationStopping.IsCancellationRequested && !http.RequestAborted.IsCancellationRequested)
        {
            GrpcCall.Fail(http, new Fault(GrpcStatusCode.Cancelled, "shutting down"));
        }
    }
}
