using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using LeanPipe.DaprWire;
using static LeanPipe.Integration.Sidecar.TurnView;

namespace LeanPipe.Integration.Sidecar;

/// <summary>What no client should send: always a status, never a crash, and the state still opens afterwards.</summary>
public sealed class GrpcFuzzTests : IAsyncLifetime
{
    const int Rounds = 120;

    // Those that answer at once whatever they are asked; a wait for an instance that never comes is no answer to wait for.
    static readonly string[] Paths =
    [
        TaskHubPaths.Hello, TaskHubPaths.CompleteOrchestratorTask, TaskHubPaths.CompleteWorkflowTask, TaskHubPaths.CompleteActivityTask, TaskHubPaths.StartInstance,
        TaskHubPaths.GetInstance, TaskHubPaths.RaiseEvent, TaskHubPaths.TerminateInstance, TaskHubPaths.PurgeInstances, TaskHubPaths.ListInstanceIDs,
        TaskHubPaths.GetInstanceHistory, TaskHubPaths.RerunWorkflowFromEvent,
        RuntimePaths.ScheduleJob, RuntimePaths.GetJob, RuntimePaths.DeleteJob, RuntimePaths.PublishEvent, RuntimePaths.GetMetadata, RuntimePaths.SetMetadata,
    ];

    readonly DirectoryInfo _state = Directory.CreateTempSubdirectory("leanpipe-sidecar-");
    SidecarApp _sidecar = null!;
    HttpClient _http = null!;

    public async ValueTask InitializeAsync()
    {
        _sidecar = await SidecarApp.StartAsync(stateDirectory: _state.FullName);
        _http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{_sidecar.Endpoints.GrpcPort}") };
    }

    public async ValueTask DisposeAsync()
    {
        await AliveAsync();
        await _sidecar.DisposeAsync();
        _http.Dispose();

        // What got in can be read again.
        await (await SidecarApp.StartAsync(stateDirectory: _state.FullName)).DisposeAsync();
        _state.Delete(recursive: true);
    }

    [Fact]
    public async Task A_request_cut_at_any_byte_has_an_error_status()
    {
        var frame = GrpcFrames.ToBytes(new CreateInstanceRequest { InstanceId = "cut", Name = "w", Input = "\"in\"" });
        for (var length = 0; length < frame.Length; length++)
            (await StatusAsync(TaskHubPaths.StartInstance, frame[..length])).ShouldBe(GrpcStatusCode.Internal, $"{length} bytes");
        (await _sidecar.Hub.GetAsync("cut")).Exists.ShouldBeFalse();
    }

    [Fact]
    public async Task A_message_cut_at_any_byte_inside_a_whole_frame_never_fails_the_sidecar()
    {
        var message = new ActivityResponse { InstanceId = "i", TaskId = 7, FailureDetails = new TaskFailureDetails { ErrorType = "T", InnerFailure = new() { ErrorMessage = "m" } } }.ToByteArray();
        for (var length = 0; length < message.Length; length++)
            (await StatusAsync(TaskHubPaths.CompleteActivityTask, Frame(message[..length]))).ShouldBeOneOf(GrpcStatusCode.Ok, GrpcStatusCode.Internal);
    }

    [Fact]
    public async Task Random_bytes_on_every_path_have_a_status()
    {
        var random = new Random(3);
        foreach (var path in Paths)
        {
            for (var round = 0; round < Rounds; round++)
            {
                var bytes = new byte[random.Next(40)];
                random.NextBytes(bytes);
                await StatusAsync(path, round % 3 == 0 ? bytes : Frame(bytes));
            }
        }
    }

    [Fact]
    public async Task Random_fields_on_every_path_have_a_status()
    {
        var random = new Random(4);
        foreach (var path in Paths)
        {
            for (var round = 0; round < Rounds; round++)
                await StatusAsync(path, Frame(Fields(random, depth: 3)));
        }
    }

    [Fact]
    public async Task A_compressed_message_and_a_broken_stream_request_have_a_status()
    {
        (await StatusAsync(TaskHubPaths.StartInstance, [1, 0, 0, 0, 1, 0])).ShouldBe(GrpcStatusCode.Unimplemented);
        (await StatusAsync(TaskHubPaths.GetWorkItems, [0, 0, 0, 0, 9, 1])).ShouldBe(GrpcStatusCode.Internal);
        (await StatusAsync(TaskHubPaths.GetWorkItems, Frame([0xFF, 0xFF]))).ShouldBe(GrpcStatusCode.Internal);
        (await StatusAsync("/Other/Call", Frame([]))).ShouldBe(GrpcStatusCode.Unimplemented);
        (await StatusAsync(TaskHubPaths.Service, Frame([]))).ShouldBe(GrpcStatusCode.Unimplemented);
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("application/grpcweb")]
    [InlineData("")]
    public async Task Another_content_type_is_refused_by_HTTP(string contentType)
    {
        using var response = await SendAsync(_http, HttpMethod.Post, TaskHubPaths.Hello, Frame([]), contentType);
        response.StatusCode.ShouldBe(HttpStatusCode.UnsupportedMediaType);
        using var get = await SendAsync(_http, HttpMethod.Get, TaskHubPaths.Hello, [], GrpcHeaders.ContentType);
        get.StatusCode.ShouldBe(HttpStatusCode.UnsupportedMediaType);
        using var subtype = await SendAsync(_http, HttpMethod.Post, TaskHubPaths.Hello, Frame([]), "application/grpc+proto");
        subtype.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_failure_of_a_hundred_causes_can_be_read_again_and_one_of_a_million_is_refused()
    {
        await using var worker = await ScriptedWorker.ConnectAsync(
            _sidecar.Hub, t => t.Has(e => e.TaskFailed) ? [Complete("told")] : t.Has(e => e.TaskScheduled) ? [] : [Task(0, "a")], _ => null);
        await _sidecar.Hub.StartAsync("deep", "deep");
        var item = await worker.NextAsync(i => i.ActivityRequest is null ? null : i);

        (await StatusAsync(TaskHubPaths.CompleteActivityTask, Frame(Nested(100_000)))).ShouldBe(GrpcStatusCode.Internal);
        var failure = new TaskFailureDetails { ErrorType = "innermost" };
        for (var depth = 0; depth < 90; depth++)
            failure = new TaskFailureDetails { ErrorType = $"cause {depth}", InnerFailure = failure };
        var answer = new ActivityResponse { InstanceId = "deep", FailureDetails = failure, CompletionToken = item.CompletionToken };
        (await StatusAsync(TaskHubPaths.CompleteActivityTask, GrpcFrames.ToBytes(answer))).ShouldBe(GrpcStatusCode.Ok);
        (await _sidecar.Hub.WaitAsync("deep")).Output.ShouldBe("told");
    }

    // Field 9 is the trace context, which is kept; in it stand groups that nobody knows, as deep as a reader goes.
    [Fact]
    public async Task Unknown_fields_nested_as_deep_as_can_be_read_do_not_make_the_journal_unreadable()
    {
        using var trace = new MemoryStream();
        using (var output = new CodedOutputStream(trace, leaveOpen: true))
        {
            for (var depth = 0; depth < 97; depth++)
                output.WriteTag(15, WireFormat.WireType.StartGroup);
            for (var depth = 0; depth < 97; depth++)
                output.WriteTag(15, WireFormat.WireType.EndGroup);
        }

        using var request = new MemoryStream();
        request.Write(new CreateInstanceRequest { InstanceId = "grouped", Name = "w" }.ToByteArray());
        using (var output = new CodedOutputStream(request, leaveOpen: true))
        {
            output.WriteTag(9, WireFormat.WireType.LengthDelimited);
            output.WriteBytes(ByteString.CopyFrom(trace.ToArray()));
        }

        // The folder is opened once more when the test ends.
        (await StatusAsync(TaskHubPaths.StartInstance, Frame(request.ToArray()))).ShouldBe(GrpcStatusCode.Ok);
        (await _sidecar.Hub.GetAsync("grouped")).Exists.ShouldBeTrue();
    }

    static byte[] Frame(byte[] message)
    {
        var frame = new byte[GrpcFrames.PrefixBytes + message.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), message.Length);
        message.CopyTo(frame, GrpcFrames.PrefixBytes);
        return frame;
    }

    // Failure details in failure details: field 4 of ActivityResponse, then field 4 of each.
    static byte[] Nested(int depth)
    {
        var message = Array.Empty<byte>();
        var parts = new List<byte[]>();
        long length = 0;
        for (var i = 0; i < depth; i++)
        {
            using var one = new MemoryStream();
            using (var output = new CodedOutputStream(one, leaveOpen: true))
            {
                output.WriteTag(4, WireFormat.WireType.LengthDelimited);
                output.WriteLength((int)length);
            }

            parts.Add(one.ToArray());
            length += one.Length;
        }

        parts.Reverse();
        message = [.. parts.SelectMany(p => p)];
        return message;
    }

    static byte[] Fields(Random random, int depth)
    {
        using var stream = new MemoryStream();
        using (var output = new CodedOutputStream(stream, leaveOpen: true))
        {
            for (var n = random.Next(8); n > 0; n--)
            {
                var field = random.Next(1, 24);
                switch (random.Next(4))
                {
                    case 0:
                        output.WriteTag(field, WireFormat.WireType.Varint);
                        output.WriteInt64(random.NextInt64(long.MinValue, long.MaxValue));
                        break;
                    case 1:
                        output.WriteTag(field, WireFormat.WireType.LengthDelimited);
                        output.WriteString(random.Next(3) == 0 ? "\0\uFFFD🦀" : $"id{random.Next(4)}");
                        break;
                    case 2:
                        output.WriteTag(field, WireFormat.WireType.LengthDelimited);
                        output.WriteBytes(ByteString.CopyFrom(depth == 0 ? [] : Fields(random, depth - 1)));
                        break;
                    default:
                        output.WriteTag(field, WireFormat.WireType.Fixed64);
                        output.WriteFixed64((ulong)random.NextInt64());
                        break;
                }
            }
        }

        return stream.ToArray();
    }

    async Task AliveAsync()
    {
        await _sidecar.Hub.CallAsync(TaskHubPaths.Hello, new Empty(), Empty.Parser);
        (await _sidecar.Http.GetAsync("/v1.0/healthz")).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        await using var worker = await ScriptedWorker.ConnectAsync(_sidecar.Hub, _ => [Complete("yes")]);
        await _sidecar.Hub.StartAsync("alive", "alive");
        (await _sidecar.Hub.WaitAsync("alive")).Output.ShouldBe("yes");
    }

    Task<GrpcStatusCode> StatusAsync(string path, byte[] body) => StatusAsync(_http, path, body);

    internal static async Task<GrpcStatusCode> StatusAsync(HttpClient http, string path, byte[] body)
    {
        using var response = await SendAsync(http, HttpMethod.Post, path, body, GrpcHeaders.ContentType);
        try
        {
            await response.Content.ReadAsByteArrayAsync();
            TaskHubClient.ThrowUnlessOk(response);
            return GrpcStatusCode.Ok;
        }
        catch (RpcException e)
        {
            return e.Code;
        }
    }

    static Task<HttpResponseMessage> SendAsync(HttpClient http, HttpMethod method, string path, byte[] body, string contentType)
    {
        var request = new HttpRequestMessage(method, path) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        request.Content = new ByteArrayContent(body);
        if (contentType.Length > 0)
            request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        return http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }
}
