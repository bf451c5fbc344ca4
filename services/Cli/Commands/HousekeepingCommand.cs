using System.CommandLine;
using System.Text.Json;
using LeanPipe.Cli.Output;
using LeanPipe.Documents;
using LeanPipe.Housekeeping;
using LeanPipe.Lake;

namespace LeanPipe.Cli.Commands;

/// <summary>`leanpipe housekeeping`</summary>
static class HousekeepingCommand
{
    public static LeanCommand Create(GlobalOptions globals)
    {
        var dryRun = new Option<bool>("--dry-run") { Description = "Say what would go and why, and change nothing" };
        var rows = new Option<int>("--rows") { Description = "A dry run lists at most so many objects; 0 lists all", HelpName = "N", DefaultValueFactory = _ => 50 };
        rows.Between(0, int.MaxValue, "0 or more");
        var clockIsRight = new Option<bool>("--clock-is-right") { Description = "The lake was left alone for more than a month, and the clock did not leap" };
        var format = GlobalOptions.Format();
        var command = new LeanCommand(
            "housekeeping", "Tidy the lake by HOME/config/housekeeping.yaml: what is old and what nobody needs. Each deletion is in housekeeping/log/ of the lake before it happens.",
            "leanpipe housekeeping --dry-run", "leanpipe housekeeping -o json") { dryRun, rows, clockIsRight, format };
        return command.Does(globals, async (call, stop) =>
        {
            var configuration = ConfigFolder.Load(call.Home.Config).Require();
            var policy = configuration.Housekeeping ?? new();
            var cold = policy.ColdStorage is { } root ? ObjectStores.Open(call.Lake with { Root = root }) : null;
            using (cold as IDisposable)
            {
                var report = await HousekeepingPass.RunAsync(
                    ObjectStores.OpenExisting(call.Lake), policy, [.. configuration.Pipelines.Select(p => p.Definition)], cold, new() { DryRun = call.Get(dryRun), ClockIsRight = call.Get(clockIsRight) }, TimeProvider.System, stop);
                if (call.WantsJson(format)) await call.Out.WriteLineAsync(JsonSerializer.Serialize(report, CliJson.Readable.HousekeepingReport));
                else Write(call, report, call.Get(rows));
                return report.Problems.Count == 0 ? ExitCode.Done : ExitCode.Failed;
            }
        });
    }

    static void Write(Invocation call, HousekeepingReport report, int limit)
    {
        foreach (var compacted in report.Compactions)
            call.Out.WriteLine(report.Deleted ? $"Table {compacted.Table}: {compacted.FilesBefore} small files became few, version {compacted.Version}." : $"Table {compacted.Table}: {compacted.FilesBefore} small files would become few.");
        if (!report.Deleted && report.Removals.Count > 0)
        {
            var shown = limit == 0 ? report.Removals : [.. report.Removals.Take(limit)];
            TextTable.Write(call.Out, shown, new("rule", r => r.Rule), new("object", r => r.Key), new("bytes", r => r.Bytes, Right: true), new("why", r => r.Why));
            if (shown.Count < report.Removals.Count) call.Out.WriteLine($"… and {report.Removals.Count - shown.Count} more; --rows 0 lists all.");
            call.Out.WriteLine();
        }
        var sums = report.Removals.GroupBy(r => r.Rule).Select(g => (Rule: g.Key, Objects: g.Count(), Bytes: g.Sum(r => r.Bytes))).ToList();
        if (sums.Count == 0) call.Out.WriteLine("Nothing to remove.");
        else TextTable.Write(call.Out, sums, new(report.Deleted ? "removed" : "would go", s => s.Rule), new("objects", s => s.Objects, Right: true), new("bytes", s => s.Bytes, Right: true));
        foreach (var problem in report.Problems) call.Error.WriteLine($"warning: {problem}");
    }
}
