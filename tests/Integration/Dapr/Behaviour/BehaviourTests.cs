namespace LeanPipe.Integration.DaprBehaviour;

// One collection: with a sidecar that somebody else runs, a second worker would take the first one's items.

[Collection(nameof(BehaviourSuite))]
public sealed class JsClient_with_JsWorker(JsClientJsWorker pair) : BehaviourSuite(pair), IClassFixture<JsClientJsWorker>;

[Collection(nameof(BehaviourSuite))]
public sealed class CsClient_with_CsWorker(CsClientCsWorker pair) : BehaviourSuite(pair), IClassFixture<CsClientCsWorker>;

[Collection(nameof(BehaviourSuite))]
public sealed class JsClient_with_CsWorker(JsClientCsWorker pair) : BehaviourSuite(pair), IClassFixture<JsClientCsWorker>;

[Collection(nameof(BehaviourSuite))]
public sealed class CsClient_with_JsWorker(CsClientJsWorker pair) : BehaviourSuite(pair), IClassFixture<CsClientJsWorker>;

[Collection(nameof(BehaviourSuite))]
public sealed class ApiTokenTests
{
    [Theory]
    [InlineData(Sdk.CSharp)]
    [InlineData(Sdk.JavaScript)]
    public async Task The_right_token_lets_client_and_worker_in(Sdk sdk)
    {
        SidecarUnderTest.RequireOwn("the token of the sidecar at LEANPIPE_DAPR_GRPC is not known here");
        await using var sidecar = await SidecarUnderTest.StartAsync("the-token");
        await using var worker = await Pair.StartWorkerAsync(sdk, sidecar.Grpc, "the-token");
        await using var client = await Pair.ConnectAsync(sdk, sidecar.Grpc, "the-token");
        await client.StartAsync("chain", "bob", "with-token");
        (await client.WaitForEndAsync("with-token")).Status.ShouldBe("Completed");
    }

    [Theory]
    [InlineData(Sdk.CSharp, null)]
    [InlineData(Sdk.CSharp, "another-token")]
    [InlineData(Sdk.JavaScript, null)]
    [InlineData(Sdk.JavaScript, "another-token")]
    public async Task Without_the_right_token_a_call_is_refused_as_unauthenticated(Sdk sdk, string? token)
    {
        SidecarUnderTest.RequireOwn("the token of the sidecar at LEANPIPE_DAPR_GRPC is not known here");
        await using var sidecar = await SidecarUnderTest.StartAsync("the-token");
        await using var client = await Pair.ConnectAsync(sdk, sidecar.Grpc, token);
        (await Should.ThrowAsync<Exception>(() => client.GetAsync("any"))).Message.ShouldContain("unauthenticated", Case.Insensitive);
    }
}
