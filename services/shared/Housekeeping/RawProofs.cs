using System.Security.Cryptography;
using System.Text;
using LeanPipe.Contracts;
using LeanPipe.Lake;
using LeanPipe.Tables;

namespace LeanPipe.Housekeeping;

/// <summary>Proves, from what a completed run left in the lake, that it read every segment of a window's revision and published what it made of them.</summary>
/// <remarks>
/// All of this must agree, segment by segment (key, bytes, rows, SHA-256): the window's manifest, the inputs that the plan pinned, the inputs of the step's committed tasks. Each of these
/// tasks has a successful outcome that read as many rows as its inputs hold, the step's manifest counts the same tasks, and every table that the run published holds this revision of the
/// window, or a newer one. The proof is kept apart from the run, whose intermediates go earlier.
/// </remarks>
sealed class RawProofs(LakeSnapshot lake)
{
    public const string Prefix = "housekeeping/proofs/";

    public static string Key(string stream, string window, int revision, string pipeline) => $"{Prefix}{stream}/{window}/{revision:D6}-{pipeline}.json";

    public static string Fingerprint(IEnumerable<ObjectRef> segments) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
        string.Concat(segments.OrderBy(s => s.Key, StringComparer.Ordinal).Select(s => $"{s.Key} {s.Bytes} {s.Rows} {s.Sha256}\n")))));

    /// <summary>The proofs that the runs of the lake give and that are not written yet.</summary>
    public async Task<IReadOnlyList<(string Key, RawProof Proof)>> FindAsync(CancellationToken cancellationToken)
    {
        var known = (await lake.Store.ListAsync(Prefix, cancellationToken).ToListAsync(cancellationToken)).Select(o => o.Key).ToHashSet();
        var proofs = new List<(string Key, RawProof Proof)>();
        foreach (var run in lake.Runs.Where(r => !lake.IsUnfinished(r.Run) && r.Objects.Any(o => o.Key.EndsWith("/manifest.json", StringComparison.Ordinal))))
        {
            var id = new RunId(run.Run);
            if (await lake.Documents.GetAsync(LakeLayout.RunPlan(id), ContractsJson.Default.RunPlan, cancellationToken) is not { } plan) continue;
            foreach (var source in plan.Steps.SelectMany(s => s.Inputs).Select(i => i.Source).Where(s => s.StartsWith("windows/", StringComparison.Ordinal)).Distinct())
            {
                if (source.Split('/') is not [_, var stream, var window, var file] || !int.TryParse(Path.GetFileNameWithoutExtension(file), out var revision)) continue;
                var key = Key(stream, window, revision, plan.Pipeline.Value);
                if (known.Contains(key) || await ProveAsync(plan, source, cancellationToken) is not { } manifest) continue;
                known.Add(key);
                proofs.Add((key, new(stream, window, revision, plan.Pipeline.Value, run.Run, manifest.Segments.Count, manifest.Rows, Fingerprint(manifest.Segments), lake.Now)));
            }
        }
        return proofs;
    }

    async Task<WindowManifest?> ProveAsync(RunPlan plan, string source, CancellationToken cancellationToken)
    {
        if (await lake.Documents.GetAsync(LakeLayout.RunRecord(plan.Run), ContractsJson.Default.RunRecord, cancellationToken) is not { Status: RunStatus.Completed } record) return null;
        if (await lake.Documents.GetAsync(source, ContractsJson.Default.WindowManifest, cancellationToken) is not { } manifest) return null;
        if (!await IsPublishedAsync(plan, record, cancellationToken)) return null;
        var expected = Fingerprint(manifest.Segments);
        foreach (var step in plan.Steps)
            foreach (var input in step.Inputs.Where(i => i.Source == source))
                if (Fingerprint(input.Objects) != expected || !await IsReadAsync(plan.Run, step.Name, input.Name, expected, cancellationToken)) return null;
        return manifest;
    }

    async Task<bool> IsPublishedAsync(RunPlan plan, RunRecord record, CancellationToken cancellationToken)
    {
        var publishing = plan.Steps.Where(s => s.Publish is not null).ToList();
        if (publishing.Count == 0) return false;
        foreach (var publish in publishing.Select(s => s.Publish!))
        {
            if (record.Published.All(p => p.Table != publish.Table)) return false;
            if (await lake.Documents.TableAsync(publish.Table, cancellationToken) is not { } table) return false;
            if (!table.Transactions.ContainsKey($"leanpipe/{plan.Pipeline}/{plan.Window}/{plan.Run}") && !(table.PublishedRevision(plan.Pipeline, plan.Window) >= plan.Revision)) return false;
        }
        return true;
    }

    async Task<bool> IsReadAsync(RunId run, StepName step, string input, string expected, CancellationToken cancellationToken)
    {
        if (await lake.Documents.GetAsync(LakeLayout.StepManifest(run, step), ContractsJson.Default.StepManifest, cancellationToken) is not { } manifest) return false;
        var read = new Dictionary<string, ObjectRef>();
        var tasks = 0;
        foreach (var sheet in await TaskSheets.ListAsync(lake.Store, run, step, cancellationToken))
        {
            if (await lake.Documents.GetAsync(sheet.Key, ContractsJson.Default.TaskSheet, cancellationToken) is not { } shares) return false;
            foreach (var spec in shares.Tasks.Select(s => s.Of(shares.Spec)))
            {
                if (tasks++ == manifest.Tasks) return false;
                if (await lake.Documents.GetAsync(LakeLayout.TaskCommit(run, step, spec.Task), ContractsJson.Default.TaskCommit, cancellationToken) is not { } commit ||
                    await lake.Documents.GetAsync(commit.Outcome, ContractsJson.Default.TaskOutcome, cancellationToken) is not { Error: null } outcome ||
                    outcome.RowsIn != spec.Inputs.Sum(i => i.Objects.Sum(o => o.Rows))) return false;
                foreach (var item in spec.Inputs.Where(i => i.Name == input).SelectMany(i => i.Objects)) read[item.Key] = item;
            }
        }
        return tasks == manifest.Tasks && Fingerprint(read.Values) == expected;
    }
}
