using System.Text.Json;
using LeanPipe.Sidecar;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace LeanPipe.Integration.DaprPeer;

/// <summary>The official JavaScript SDK's DaprClient and DaprServer over HTTP, against the embedded sidecar.</summary>
public sealed class JsHttpTests
{
    [Fact]
    public async Task What_the_client_publishes_the_server_gets_once()
    {
        await using var peer = await Peer.StartAsync(new { orders = new[] { "SUCCESS" } });

        await PublishAsync(peer, "orders", new { a = 1, b = "zwei" });
        await PublishAsync(peer, "orders", "plain text");

        var seen = new[] { await peer.MessageAsync(), await peer.MessageAsync() }.Select(m => m.GetProperty("data").GetRawText()).Order(StringComparer.Ordinal);
        seen.ShouldBe(["\"plain text\"", """{"a":1,"b":"zwei"}"""]);
    }

    [Fact]
    public async Task RETRY_brings_a_message_again_and_DROP_does_not()
    {
        await using var peer = await Peer.StartAsync(new { again = new[] { "RETRY", "RETRY", "SUCCESS" }, gone = new[] { "DROP" }, last = new[] { "SUCCESS" } });

        await PublishAsync(peer, "gone", 1);
        (await peer.MessageAsync()).GetProperty("topic").GetString().ShouldBe("gone");
        await PublishAsync(peer, "again", 2);
        for (var attempt = 0; attempt < 3; attempt++)
            (await peer.MessageAsync()).GetProperty("topic").GetString().ShouldBe("again");
        await PublishAsync(peer, "last", 3);
        (await peer.MessageAsync()).GetProperty("topic").GetString().ShouldBe("last", "a dropped or a taken message came again");
    }

    [Fact]
    public async Task A_dropped_message_goes_to_the_dead_letter_topic()
    {
        await using var peer = await Peer.StartAsync(new { poison = new[] { "DROP" }, dead = new[] { "SUCCESS" } }, new { poison = "dead" });
        await PublishAsync(peer, "poison", new { k = 1 });
        (await peer.MessageAsync()).GetProperty("topic").GetString().ShouldBe("poison");
        var dead = await peer.MessageAsync();
        (dead.GetProperty("topic").GetString(), dead.GetProperty("data").GetRawText()).ShouldBe(("dead", """{"k":1}"""));
    }

    [Fact]
    public async Task A_broker_that_is_not_there_is_told()
    {
        await using var peer = await Peer.StartAsync(new { orders = new[] { "SUCCESS" } });
        var answer = await peer.Script.CallAsync("publish", new { pubsub = "nobody", topic = "orders", data = 1 });
        answer.GetString()!.ShouldContain("ERR_PUBSUB_NOT_FOUND");
    }

    [Fact]
    public async Task Health_and_metadata_are_seen()
    {
        await using var peer = await Peer.StartAsync(new { orders = new[] { "SUCCESS" } });
        (await peer.Script.CallAsync("healthy")).GetBoolean().ShouldBeTrue();
        await peer.Script.CallAsync("setMetadata", new { key = "colour", value = "blue" });
        var metadata = await peer.Script.CallAsync("metadata");
        metadata.GetProperty("id").GetString().ShouldBe("js-app");
        metadata.GetProperty("extended").GetProperty("colour").GetString().ShouldBe("blue");
    }

    // The client speaks to the alias /v1.0-beta1.
    [Fact]
    public async Task A_workflow_is_started_paused_resumed_terminated_and_purged()
    {
        await using var peer = await Peer.StartAsync(new { orders = new[] { "SUCCESS" } });
        var script = peer.Script;
        (await script.CallAsync("startWorkflow", new { name = "w", input = new { a = 1 }, instance = "i" })).GetString().ShouldBe("i");
        (await script.CallAsync("getWorkflow", new { instance = "i" })).GetProperty("runtimeStatus").GetString().ShouldBe("PENDING");
        await script.CallAsync("raise", new { instance = "i", name = "go", payload = new { k = 1 } });
        await script.CallAsync("pause", new { instance = "i" });
        await script.CallAsync("resume", new { instance = "i" });
        await script.CallAsync("terminate", new { instance = "i" });
        (await script.CallAsync("getWorkflow", new { instance = "i" })).GetProperty("runtimeStatus").GetString().ShouldBe("TERMINATED");
        await script.CallAsync("purge", new { instance = "i" });
        (await Should.ThrowAsync<NodeScriptException>(() => script.CallAsync("getWorkflow", new { instance = "i" }))).Message.ShouldContain("ERR_INSTANCE_ID_NOT_FOUND");
    }

    // Jobs as the SDK's generated stubs call them; its app answers 404 for a job, which drops it.
    [Fact]
    public async Task The_client_publishes_and_schedules_jobs_over_gRPC_too()
    {
        await using var peer = await Peer.StartAsync(new { orders = new[] { "SUCCESS" } });
        var script = peer.Script;
        await script.CallAsync("connectGrpc", new { port = peer.GrpcPort });
        await script.CallAsync("publishGrpc", new { pubsub = "pubsub", topic = "orders", data = new { a = 1 } });
        (await peer.MessageAsync()).GetProperty("data").GetRawText().ShouldBe("{\"a\":1}");
        await script.CallAsync("setMetadataGrpc", new { key = "colour", value = "green" });
        var metadata = await script.CallAsync("metadataGrpc");
        metadata.GetProperty("id").GetString().ShouldBe("js-app");
        metadata.GetProperty("extended").GetProperty("colour").GetString().ShouldBe("green");

        await script.CallAsync("scheduleJob", new { name = "nightly", schedule = "0 0 3 * * *", text = "hello" });
        var job = await script.CallAsync("getJob", new { name = "nightly" });
        (job.GetProperty("schedule").GetString(), job.GetProperty("text").GetString()).ShouldBe(("0 0 3 * * *", "hello"));
        (await Should.ThrowAsync<NodeScriptException>(() => script.CallAsync("scheduleJob", new { name = "nightly", schedule = "@daily" }))).Message.ShouldContain("already exists");
        await script.CallAsync("scheduleJob", new { name = "nightly", schedule = "@daily", overwrite = true });
        await script.CallAsync("deleteJob", new { name = "nightly" });
        (await Should.ThrowAsync<NodeScriptException>(() => script.CallAsync("getJob", new { name = "nightly" }))).Message.ShouldContain("job not found");
    }

    static async Task PublishAsync(Peer peer, string topic, object data) =>
        (await peer.Script.CallAsync("publish", new { pubsub = "pubsub", topic, data })).GetString().ShouldBe("taken");

    sealed class Peer(WebApplication sidecar, NodeScript script, DirectoryInfo state) : IAsyncDisposable
    {
        public NodeScript Script => script;

        public int GrpcPort => sidecar.Services.GetRequiredService<SidecarEndpoints>().GrpcPort;

        /// <param name="answers">Per topic the statuses that the app gives in turn; the last one stays.</param>
        /// <param name="deadLetter">Per topic the one that takes what is dropped.</param>
        public static async Task<Peer> StartAsync(object answers, object? deadLetter = null)
        {
            var script = await NodeScript.StartAsync("app.js");
            var state = Directory.CreateTempSubdirectory("leanpipe-js-");
            var app = LoopbackApp.CreateSidecar(new()
            {
                AppId = "js-app",
                GrpcPort = 0,
                HttpPort = 0,
                StateDirectory = state.FullName,
                FirstRetryAfter = TimeSpan.FromMilliseconds(10),
                LastRetryAfter = TimeSpan.FromMilliseconds(50),
            });
            await app.StartAsync();
            var ports = app.Services.GetRequiredService<SidecarEndpoints>();
            await script.CallAsync("connect", new { port = ports.HttpPort });
            var appPort = await script.CallAsync("serveApp", new { port = ports.HttpPort, pubsub = "pubsub", answers, deadLetter });
            ports.AppPort = appPort.GetInt32();
            return new Peer(app, script, state);
        }

        public Task<JsonElement> MessageAsync() => script.NextAsync("message");

        public async ValueTask DisposeAsync()
        {
            await script.DisposeAsync();
            await sidecar.StopAsync();
            await sidecar.DisposeAsync();
            state.Delete(recursive: true);
        }
    }
}
