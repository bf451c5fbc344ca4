using System.Net;
using System.Net.Http.Headers;
using Google.Protobuf;
using LeanPipe.DaprWire;

namespace Dapr.Workflow.Grpc;

/// <summary>Bytes of one message; null = no limit here, the sidecar has its own.</summary>
sealed record MessageLimits(int? Receive = null, int? Send = null);

/// <summary>gRPC calls over one HTTP/2 client; a call is one framed request and one framed answer, or a stream of them.</summary>
sealed class SidecarChannel : IDisposable
{
    readonly HttpClient _http;
    readonly SidecarAddress _address;
    readonly MessageLimits _limits;

    public SidecarChannel(SidecarAddress address, MessageLimits limits)
    {
        (_address, _limits) = (address, limits);
        _http = new HttpClient(new SocketsHttpHandler
        {
            // Finds a peer that is gone without a word. A sidecar closes connections that ping more often than every 8 s.
            KeepAlivePingDelay = TimeSpan.FromSeconds(60),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(30),
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.Always,
            PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
            // The work item stream and calls that block for hours share the connection with everything else.
            EnableMultipleHttp2Connections = true,
            UseProxy = false,
            AutomaticDecompression = DecompressionMethods.None,
        })
        {
            BaseAddress = address.Endpoint,
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    public Uri Endpoint => _address.Endpoint;

    /// <exception cref="SidecarCallException">Any end but OK with one message.</exception>
    public async Task<TResponse> CallAsync<TResponse>(
        string path, IMessage request, MessageParser<TResponse> parser, CancellationToken cancellationToken)
        where TResponse : class, IMessage<TResponse>
    {
        using var stream = await OpenAsync(path, request, cancellationToken);
        var response = await stream.NextAsync(parser, cancellationToken)
            ?? throw new SidecarCallException(GrpcStatusCode.Internal, $"The answer to {path} has no message.");

        // The status follows the message: a call is only good when it ends well.
        return await stream.NextAsync(parser, cancellationToken) is null
            ? response
            : throw new SidecarCallException(GrpcStatusCode.Internal, $"The answer to {path} has more than one message.");
    }

    /// <summary>Returns at the response's headers, which a sidecar may hold back until it has the first message.</summary>
    public async Task<SidecarStream> OpenAsync(string path, IMessage request, CancellationToken cancellationToken)
    {
        if (request.CalculateSize() > _limits.Send)
            throw new SidecarCallException(GrpcStatusCode.ResourceExhausted, "Sending message exceeds the maximum configured message size.");
        var message = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(GrpcFrames.ToBytes(request)),
        };
        message.Content.Headers.ContentType = new MediaTypeHeaderValue(GrpcHeaders.ContentType);
        message.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        message.Headers.Add(GrpcHeaders.AcceptEncoding, "identity");
        message.Headers.UserAgent.Add(new ProductInfoHeaderValue("leanpipe-dapr-workflow", "1.18"));
        if (_address.ApiToken is { } token)
        {
            message.Headers.Add(GrpcHeaders.ApiToken, token);
        }

        HttpResponseMessage response;
        try
        {
            response = await _http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        }
        catch (HttpRequestException e)
        {
            message.Dispose();
            throw NotReached(e);
        }

        try
        {
            CallStatus.ThrowIfRefused(response);
            return new SidecarStream(message, response, await response.Content.ReadAsStreamAsync(cancellationToken), _limits.Receive);
        }
        catch
        {
            response.Dispose();
            message.Dispose();
            throw;
        }
    }

    public void Dispose() => _http.Dispose();

    SidecarCallException NotReached(HttpRequestException e) =>
        e.HttpRequestError == HttpRequestError.ConnectionError
            ? new SidecarCallException(
                GrpcStatusCode.Unavailable,
                $"No sidecar answers at {Endpoint}: {e.Message} Start it, or set DAPR_GRPC_ENDPOINT or DAPR_GRPC_PORT.",
                e)
            : CallStatus.Broken(e);
}
