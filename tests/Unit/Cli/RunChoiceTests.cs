using LeanPipe.Cli.Runs;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Unit.Cli;

public sealed class RunChoiceTests : IDisposable
{
    static readonly RunRequest Request = new(new("p"), WindowId.Parse("2026-01-01T10"), 2, new Dictionary<string, string> { ["a"] = "1", ["b"] = "2" });
    static readonly RunId First = RunId.For(Request.Pipeline, Request.Window, 2);

    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("leanpipe-choice-");
    readonly IObjectStore _store;

    public RunChoiceTests() => _store = ObjectStores.Open(new() { Root = _folder.FullName });

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task A_free_id_is_taken_and_an_unfinished_run_of_the_same_goes_on()
    {
        (await ChooseAsync("document")).ShouldBe("p-2026-01-01T10-r2");
        await PlannedAsync(First, Request with { Params = new Dictionary<string, string> { ["b"] = "2", ["a"] = "1" } });
        (await ChooseAsync("document")).ShouldBe("p-2026-01-01T10-r2");
        await EndedAsync(First, RunStatus.Failed);
        (await ChooseAsync("document")).ShouldBe("p-2026-01-01T10-r2");
    }

    [Fact]
    public async Task A_run_that_is_done_or_was_planned_from_another_document_or_for_another_request_is_followed_by_another_one()
    {
        await PlannedAsync(First, Request);
        (await ChooseAsync("edited")).ShouldBe("p-2026-01-01T10-r2-2");
        await EndedAsync(First, RunStatus.Completed);
        (await ChooseAsync("document")).ShouldBe("p-2026-01-01T10-r2-2");
        await PlannedAsync(new("p-2026-01-01T10-r2-2"), Request with { Revision = null });
        (await ChooseAsync("document")).ShouldBe("p-2026-01-01T10-r2-3");
    }

    async Task<string> ChooseAsync(string digest) => (await RunChoice.OfAsync(_store, First, Request, digest, TestContext.Current.CancellationToken)).Value;

    ValueTask PlannedAsync(RunId run, RunRequest request) => _store.PutJsonAsync(
        LakeLayout.RunPlan(run),
        new RunPlan { Run = run, Request = request, Pipeline = request.Pipeline, Window = request.Window, Revision = 2, PlannedAt = DateTimeOffset.UnixEpoch, Params = [], Steps = [], Digest = "document" },
        ContractsJson.Default.RunPlan, TestContext.Current.CancellationToken);

    ValueTask EndedAsync(RunId run, RunStatus status) => _store.PutJsonAsync(
        LakeLayout.RunRecord(run),
        new RunRecord
        {
            Run = run,
            Pipeline = Request.Pipeline,
            Window = Request.Window,
            Revision = 2,
            Status = status,
            StartedAt = DateTimeOffset.UnixEpoch,
            EndedAt = DateTimeOffset.UnixEpoch,
            Steps = [],
            Published = [],
        },
        ContractsJson.Default.RunRecord, TestContext.Current.CancellationToken);
}
