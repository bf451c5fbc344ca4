using System.Net;
using System.Net.Http.Headers;
using Google.Protobuf;
using LeanPipe.DaprWire;

namespace LeanPipe.Integration.Sidecar;

sealed class RpcException(GrpcStatusCode code, string message) : Exception($"{code}: {message}")
{
    public GrpcStatusCode Code { get; } = code;

    public string Detail { get; } = message;
}

/// <summary>gRPC by hand over HttpClient, sharing nothing with the sidecar but the message types.</summary>
sealed class TaskHubClient(int port, string? token = null) : IDisposable
{
    readonly HttpClient _http = new(new SocketsHttpHandler { EnableMultipleHttp2Connections = true })
    {
        BaseAddress = new Uri($"http://127.0.0.1:{port}"),
        Timeout = Timeout.InfiniteTimeSpan,
    };

    public async Task<T> CallAsync<T>(string path, IMessage request, MessageParser<T> parser, CancellationToken cancellationToken = default)
        where T : class, IMessage<T>
    {
        using var response = await SendAsync(path, request, cancellationToken);
        var body = await response.Content.ReadAsByteArrayAsync(cancellationToken);
        ThrowUnlessOk(response);
        (await GrpcFrames.ReadAsync(new MemoryStream(body), int.MaxValue, cancellationToken)).TryParse(parser, out T message).ShouldBeTrue();
        return message;
    }

    public Task<HttpResponseMessage> OpenWorkItemsAsync(CancellationToken cancellationToken = default) =>
        SendAsync(TaskHubPaths.GetWorkItems, new GetWorkItemsRequest(), cancellationToken);

    public async Task<string> StartAsync(string name, string instanceId, string? input = null)
    {
        var request = new CreateInstanceRequest { Name = name, InstanceId = instanceId, Input = input };
        return (await CallAsync(TaskHubPaths.StartInstance, request, CreateInstanceResponse.Parser)).InstanceId;
    }

    public async Task<WorkflowState> WaitAsync(string instanceId, CancellationToken cancellationToken = default) => (await CallAsync(
        TaskHubPaths.WaitForInstanceCompletion,
        new GetInstanceRequest { InstanceId = instanceId, GetInputsAndOutputs = true },
        GetInstanceResponse.Parser,
        cancellationToken)).WorkflowState;

    public Task<GetInstanceResponse> GetAsync(string instanceId) => CallAsync(
        TaskHubPaths.GetInstance, new GetInstanceRequest { InstanceId = instanceId, GetInputsAndOutputs = true }, GetInstanceResponse.Parser);

    /// <summary>Asks until it is so; every look is a round trip.</summary>
    public async Task WaitUntilAsync(string instanceId, OrchestrationStatus status)
    {
        while ((await GetAsync(instanceId)).WorkflowState?.WorkflowStatus != status)
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
    }

    public Task RaiseAsync(string instanceId, string name, string? input) => CallAsync(
        TaskHubPaths.RaiseEvent, new RaiseEventRequest { InstanceId = instanceId, Name = name, Input = input }, RaiseEventResponse.Parser);

    public void Dispose() => _http.Dispose();

    public static void ThrowUnlessOk(HttpResponseMessage response)
    {
        var status = Header(response, GrpcHeaders.Status);
        if (status != "0")
            throw new RpcException((GrpcStatusCode)int.Parse(status!), GrpcHeaders.DecodeMessage(Header(response, GrpcHeaders.Message) ?? ""));
    }

    static string? Header(HttpResponseMessage response, string name) =>
        response.TrailingHeaders.TryGetValues(name, out var trailers) ? trailers.First()
        : response.Headers.TryGetValues(name, out var headers) ? headers.First()
        : null;

    Task<HttpResponseMessage> SendAsync(string path, IMessage message, CancellationToken cancellationToken)
    {
        var content = new ByteArrayContent(GrpcFrames.ToBytes(message));
        content.Headers.ContentType = new MediaTypeHeaderValue(GrpcHeaders.ContentType);
        var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = content,
        };
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        if (token is not null)
            request.Headers.Add(GrpcHeaders.ApiToken, token);
        return _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
    }
}
