using System.CommandLine;
using System.Text.Json;
using LeanPipe.Cli.Output;
using LeanPipe.Cli.Runs;
using LeanPipe.Contracts;
using LeanPipe.Documents;
using LeanPipe.Gateway;
using LeanPipe.Lake;

namespace LeanPipe.Cli.Commands;

/// <summary>`leanpipe replay --stream S [--rejected]`</summary>
static class ReplayCommand
{
    public static LeanCommand Create(GlobalOptions globals)
    {
        var stream = new Option<string>("--stream") { Description = "The stream's name, or a stream document", HelpName = "S", Required = true };
        var version = new Option<string?>("--schema") { Description = "A version of the stream's document instead of the newest", HelpName = "vN" };
        var rejected = new Option<bool>("--rejected") { Description = "Only the frames that were rejected: what passes is added. Without it windows are made anew, from the frames as they came or from their records" };
        var windows = new Option<string[]>("--window") { Description = "Only this window; may be given several times", HelpName = "W" };
        var dryRun = new Option<bool>("--dry-run") { Description = "Say what would change, and change nothing" };
        var sidecar = GlobalOptions.Url("--sidecar", "URL of a Dapr sidecar for the events of the new revisions (default: the one that runs in HOME)");
        var format = GlobalOptions.Format();
        var command = new LeanCommand(
            "replay", "Validate what a stream has brought again, by another version of its document: whole windows, or only what was rejected. Windows get a new revision. May be stopped and repeated: a frame is a record once.",
            "leanpipe replay --stream telemetry --rejected --dry-run", "leanpipe replay --stream telemetry --schema v2 --window 2026-01-01T10") { stream, version, rejected, windows, dryRun, sidecar, format };
        return command.Does(globals, async (call, stop) =>
        {
            var definition = SchemaCommand.Find(call, call.Get(stream)!, call.Get(version));
            if (!call.Get(rejected)) CheckWindows(call, definition);
            var asked = call.Get(windows) is { Length: > 0 } names ? names.Select(RunArguments.Parse<WindowId>).ToHashSet() : null;
            using var http = new HttpClient();
            var url = call.Get(sidecar) ?? call.Home.FindRunning()?.Sidecar;
            var progress = new Progress(call.Error, ReferenceEquals(call.Error, Console.Error) && !Console.IsErrorRedirected, TimeProvider.System);
            var what = call.Get(rejected) ? "segments of rejects" : "segments";
            Func<ReadOnlyMemory<byte>, CancellationToken, Task>? publish = url is null ? null : (json, c) => GatewayCommand.PublishAsync(http, url, json, c);
            var report = await (call.Get(rejected) ? GatewayReplay.RejectedAsync : (Replay)GatewayReplay.WindowsAsync)(
                ObjectStores.OpenExisting(call.Lake), definition, new() { Windows = asked, DryRun = call.Get(dryRun) }, publish,
                p => progress.Show($"{p.Segments:N0} of {p.Of:N0} {what}: {p.Frames:N0} frames read, {p.Passed:N0} pass"), TimeProvider.System, stop);
            progress.Clear();
            if (call.WantsJson(format)) await call.Out.WriteLineAsync(JsonSerializer.Serialize(report, CliJson.Readable.ReplayReport));
            else Write(call.Out, report, call.Get(rejected));
            return ExitCode.Done;
        });
    }

    /// <summary>A replay keeps every record in its window, and frames do not say which window an older version has put them in.</summary>
    static void CheckWindows(Invocation call, StreamDefinition definition)
    {
        var versions = ConfigFolder.LoadStreams(call.Home.Config).Value?.FirstOrDefault(s => s.Current.Name == definition.Name)?.Versions ?? [];
        if (versions.FirstOrDefault(v => v.EventTime != definition.EventTime || v.Window != definition.Window) is { } other)
            throw new UsageException($"{definition.SchemaId} and {other.SchemaId} differ in 'event_time' or 'window': a replay keeps every record in its window. Replay only what was rejected, with --rejected.");
    }

    delegate Task<ReplayReport> Replay(
        IObjectStore store, StreamDefinition stream, ReplayOptions options, Func<ReadOnlyMemory<byte>, CancellationToken, Task>? publish, Action<ReplayProgress>? progress, TimeProvider time, CancellationToken stop);

    static void Write(TextWriter output, ReplayReport report, bool isOfRejects)
    {
        output.WriteLine(isOfRejects
            ? $"Rejects of stream {report.Stream} by {report.Schema}: {report.Frames:N0} frames in {report.Segments:N0} segments"
            : $"Windows of stream {report.Stream} by {report.Schema}: {report.Frames:N0} frames or records in {report.Segments:N0} segments");
        Line(output, report.Passed, isOfRejects ? report.DryRun ? "would become records" : "became records" : "pass");
        Line(output, report.Before, "are records since an earlier replay");
        Line(output, report.Elsewhere, "pass, and are of windows that were not asked for");
        Line(output, report.Truncated, "cannot be replayed: only their beginning was kept");
        Line(output, report.Unplaced, "cannot be replayed: nothing says where a frame began, or what its cells are (bad_length, bad_header)");
        Line(output, report.Kept, "are kept as they came: replay their windows, without --rejected");
        foreach (var (code, count) in report.Rejected) Line(output, count, isOfRejects ? $"stay rejected: {code}" : $"are not taken: {code}");
        Line(output, report.Unchanged, "windows hold that already");
        foreach (var window in report.Unsettled) output.WriteLine($"  window {window} stays as it is: a gateway has records of it that are not listed yet. Repeat the command when they are.");
        foreach (var window in report.Gone) output.WriteLine($"  window {window} stays as it is: housekeeping has taken its segments.");
        if (report.Windows.Count > 0)
        {
            output.WriteLine();
            TextTable.Write(output, report.Windows, new("WINDOW", w => w.Window.Value), new(report.DryRun ? "WOULD BE REVISION" : "REVISION", w => w.Revision, Right: true), new("MORE ROWS", w => w.Rows, Right: true));
        }
        if (report.Unpublished > 0) output.WriteLine($"{report.Unpublished:N0} events are not published, for no sidecar was found: repeat the command where one runs, or name it with --sidecar.");
    }

    static void Line(TextWriter output, long count, string what)
    {
        if (count > 0) output.WriteLine($"  {count,10:N0} {what}");
    }
}
