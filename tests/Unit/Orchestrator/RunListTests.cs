using LeanPipe.Contracts;
using LeanPipe.Lake;
using LeanPipe.Orchestrator;

namespace LeanPipe.Unit.Orchestrator;

public sealed class RunListTests
{
    [Fact]
    public async Task Runs_come_newest_first_and_what_lies_in_them_is_never_listed()
    {
        var folder = Directory.CreateTempSubdirectory("leanpipe-runs-");
        var store = ObjectStores.Open(new() { Root = folder.FullName });
        foreach (var n in Enumerable.Range(0, 40))
        {
            var run = new RunId($"r{n * 7 % 40:D2}");
            await store.PutJsonAsync(LakeLayout.RunPlan(run), new RunPlan
            {
                Run = run,
                Request = new(new("p"), Samples.Window),
                Pipeline = new("p"),
                Window = Samples.Window,
                Revision = 1,
                PlannedAt = DateTimeOffset.UnixEpoch.AddHours(n),
                Params = [],
                Steps = [],
            }, ContractsJson.Default.RunPlan, default);
            await RunIndex.AddAsync(store, new(run, new("p"), Samples.Window, DateTimeOffset.UnixEpoch.AddHours(n)), default);
        }

        var lines = await new RunReader(new IndexOnly(store)).ListAsync(3, default);

        lines.Select(l => l.Run.Value).ShouldBe(["r33", "r26", "r19"]);
        folder.Delete(recursive: true);
    }

    /// <summary>Refuses to list what lies in runs.</summary>
    sealed class IndexOnly(IObjectStore inner) : ForwardingStore(inner)
    {
        public override IAsyncEnumerable<ListedObject> ListAsync(string prefix, CancellationToken cancellationToken) =>
            prefix.StartsWith("index/", StringComparison.Ordinal) ? base.ListAsync(prefix, cancellationToken) : throw new InvalidOperationException($"'{prefix}' is listed");

        public override IAsyncEnumerable<string> ListFoldersAsync(string prefix, CancellationToken cancellationToken) => throw new InvalidOperationException($"'{prefix}' is listed");

    }
}
