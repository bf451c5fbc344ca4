using System.Globalization;
using System.Text.Json;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Housekeeping;

/// <summary>Carries out what a pass has decided, a batch at a time; the order is that of <see cref="HousekeepingPass"/>.</summary>
sealed class RemovalBatches(LakeSnapshot lake, IObjectStore? cold, IReadOnlyList<Retirement> retirements, string pass)
{
    const int BatchSize = 1000;
    const string Run = "run";

    readonly IObjectStore store = lake.Store;
    readonly HashSet<string> sweeping = [];
    readonly HashSet<string> left = [];

    /// <returns>What was done: all of it, but for runs that somebody has asked for again.</returns>
    public async Task<IReadOnlyList<Removal>> RemoveAsync(IReadOnlyList<Removal> removals, CancellationToken cancellationToken)
    {
        var (number, done) = (0, new List<Removal>());
        foreach (var found in removals.Chunk(BatchSize))
        {
            await ClaimAsync(found, cancellationToken);
            var batch = found.Where(r => r.Rule != Run || !left.Contains(RunOf(r))).ToList();
            if (batch.Count > 0) await RemoveAsync(batch, ++number, cancellationToken);
            done.AddRange(batch);
        }
        // Whatever of a run is left for the next pass: its documents went first, so a retry finds less and nothing that is broken.
        foreach (var run in sweeping) await store.DeleteAsync(LakeLayout.RunSweep(new(run), pass), cancellationToken);
        return done;
    }

    async Task RemoveAsync(List<Removal> batch, int number, CancellationToken cancellationToken)
    {
        using var lines = new MemoryStream();
        foreach (var removal in batch)
        {
            JsonSerializer.Serialize(
                lines, new RemovalRecord(lake.Now, removal.Rule, removal.Key, removal.Bytes, removal.Why, removal.To) { StorageClass = removal.StorageClass }, HousekeepingJson.Default.RemovalRecord);
            lines.WriteByte((byte)'\n');
        }
        await store.PutAsync($"{HousekeepingPass.AuditPrefix}{pass}-{number.ToString("D5", CultureInfo.InvariantCulture)}.ndjson", lines.ToArray(), cancellationToken);
        var keys = batch.Where(r => r.StorageClass is null).Select(r => r.Key).ToHashSet();
        foreach (var retired in retirements.Where(r => r.Segments.Any(s => keys.Contains(s.Key))).Select(r => r.Window))
            await store.PutJsonAsync(RawSweep.RetiredKey(retired.Stream, retired.Window), retired, HousekeepingJson.Default.RetiredWindow, cancellationToken);
        foreach (var removal in batch)
        {
            if (removal.StorageClass is { } storageClass)
            {
                await ColdStore.ChangeClassAsync(store, removal, storageClass, cancellationToken);
                continue;
            }
            if (removal.To is not null) await new ColdStore(store, cold!).CopyAsync(removal, cancellationToken);
            await store.DeleteAsync(removal.Key, cancellationToken);
        }
    }

    /// <summary>Takes the runs of which something is about to go, unless somebody has asked for them again: they run, or have ended anew since the pass looked.</summary>
    async Task ClaimAsync(Removal[] batch, CancellationToken cancellationToken)
    {
        var runs = batch.Where(r => r.Rule == Run).Select(RunOf).Where(r => !left.Contains(r)).ToHashSet();
        foreach (var run in runs.Where(sweeping.Add)) await store.PutJsonAsync(LakeLayout.RunSweep(new(run), pass), new RunSwept(pass, lake.Now), HousekeepingJson.Default.RunSwept, cancellationToken);
        if (runs.Count == 0) return;
        var marked = await LakeSnapshot.MarkedAsync(store, cancellationToken);
        foreach (var run in runs)
        {
            if (!marked.Contains(run) && await HasNotEndedAnewAsync(run, cancellationToken)) continue;
            left.Add(run);
            sweeping.Remove(run);
            await store.DeleteAsync(LakeLayout.RunSweep(new(run), pass), cancellationToken);
        }
    }

    async Task<bool> HasNotEndedAnewAsync(string run, CancellationToken cancellationToken)
    {
        var key = LakeLayout.RunRecord(new(run));
        var record = await store.ListAsync(key, cancellationToken).FirstOrDefaultAsync(o => o.Key == key, cancellationToken);
        return record == lake.Runs.First(r => r.Run == run).Record;
    }

    static string RunOf(Removal removal) => removal.Key.Split('/')[1];
}
