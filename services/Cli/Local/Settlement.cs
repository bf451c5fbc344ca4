using LeanPipe.Cli.Audits;
using LeanPipe.Contracts;
using LeanPipe.Documents;
using LeanPipe.Lake;

namespace LeanPipe.Cli.Local;

/// <summary>What is still on its way: windows that are not sealed up to their last record, and runs of sealed windows that have not ended.</summary>
sealed record Settlement(IReadOnlyList<string> OpenWindows, int SealedWindows, IReadOnlyList<RunId> Unended, IReadOnlyList<RunId> Failed)
{
    public bool IsSettled => OpenWindows.Count == 0 && Unended.Count == 0;

    /// <param name="ledger">What the gateway counts at this moment; null when it has nothing of the stream.</param>
    public static async Task<Settlement> ReadAsync(IObjectStore store, Configuration configuration, Func<StreamName, Ledger?> ledger, CancellationToken stop)
    {
        var open = new List<string>();
        var count = 0;
        var unended = new List<RunId>();
        var failed = new List<RunId>();
        foreach (var stream in configuration.Streams.Select(s => s.Name))
        {
            // The ledger first: a record that comes in between is in the manifest but not counted, and never the other way round.
            var recorded = ledger(stream)?.Windows ?? new Dictionary<string, long>();
            var manifests = await Audit.NewestManifestsAsync(store, stream, stop);
            open.AddRange(recorded.Where(w => w.Value > (manifests.GetValueOrDefault(w.Key)?.Rows ?? 0)).Select(w => $"{stream}/{w.Key}"));
            count += manifests.Count;
            foreach (var pipeline in configuration.Pipelines.Select(p => p.Definition).Where(p => p.TriggerSealed == stream))
            {
                foreach (var manifest in manifests.Values)
                {
                    var run = RunId.For(pipeline.Name, manifest.Window, manifest.Revision);
                    var record = await store.GetJsonAsync(LakeLayout.RunRecord(run), ContractsJson.Default.RunRecord, stop);
                    if (record is null) unended.Add(run);
                    else if (record.Status == RunStatus.Failed) failed.Add(run);
                }
            }
        }
        return new(open, count, unended, failed);
    }
}
