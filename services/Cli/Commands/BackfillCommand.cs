using System.CommandLine;
using System.Text.Json;
using LeanPipe.Cli.Output;
using LeanPipe.Cli.Runs;
using LeanPipe.Contracts;
using LeanPipe.Documents;
using LeanPipe.Lake;

namespace LeanPipe.Cli.Commands;

/// <summary>`leanpipe backfill PIPELINE --from W --to W`</summary>
static class BackfillCommand
{
    public static LeanCommand Create(GlobalOptions globals)
    {
        var pipeline = RunArguments.Pipeline();
        var from = new Option<string>("--from") { Description = "The first window, or the day that begins with it", HelpName = "W", Required = true };
        var to = new Option<string>("--to") { Description = "The first window that is not meant any more", HelpName = "W", Required = true };
        var parallel = new Option<int>("--parallel") { Description = "So many runs at a time", HelpName = "N", DefaultValueFactory = _ => 1 };
        parallel.Between(1, 100, "1 to 100");
        var param = RunArguments.Param();
        var sidecar = RunArguments.Sidecar();
        var format = GlobalOptions.Format();
        var command = new LeanCommand(
            "backfill", "Run a pipeline over every sealed window of a range that is not current: whose newest revision no completed run of the document as it is now has read.",
            "leanpipe backfill telemetry-hourly --from 2026-01-01 --to 2026-02-01 --parallel 4") { pipeline, from, to, parallel, param, sidecar, format };
        return command.Does(globals, async (call, stop) =>
        {
            var name = RunArguments.Parse<PipelineName>(call.Get(pipeline)!);
            var (first, end) = (RunArguments.Parse<WindowId>(call.Get(from)!), RunArguments.Parse<WindowId>(call.Get(to)!));
            if (first.Start >= end.Start) throw new UsageException($"--from {first} is not before --to {end}: no window lies between them.");
            var parameters = RunArguments.Params(call.Get(param)!);
            var stream = LeadingStream(ConfigFolder.Load(call.Home.Config).Require(), name);
            using var http = new HttpClient();
            var api = new WorkflowApi(http, call.Get(sidecar) ?? call.Home.RequireRunning().Sidecar);
            var backfill = new Backfill(ObjectStores.OpenExisting(call.Lake), call.Home.Config, api);
            var windows = await backfill.WindowsAsync(stream, first, end, stop);
            var output = TextWriter.Synchronized(call.Out);
            var (done, ended) = (new BackfillWindow[windows.Count], 0);
            await Parallel.ForAsync(0, windows.Count, new ParallelOptions { MaxDegreeOfParallelism = call.Get(parallel), CancellationToken = stop }, async (n, token) =>
            {
                done[n] = await backfill.RunAsync(new(name, windows[n], Params: parameters.Count == 0 ? null : parameters), token);
                var line = $"{Interlocked.Increment(ref ended)}/{windows.Count}  {done[n].Window}  {done[n].State.ToString().ToLowerInvariant()}  {done[n].Run}";
                if (!call.WantsJson(format)) await output.WriteLineAsync(line);
            });
            if (call.WantsJson(format)) await call.Out.WriteLineAsync(JsonSerializer.Serialize(done, CliJson.Readable.IReadOnlyListBackfillWindow));
            else await WriteSumAsync(call, done);
            return done.Any(HasFailed) ? ExitCode.Failed : ExitCode.Done;
        });
    }

    static async Task WriteSumAsync(Invocation call, IReadOnlyList<BackfillWindow> done)
    {
        await call.Out.WriteLineAsync($"{done.Count} windows: {done.Count(d => d.State == BackfillState.Current)} current, {done.Count(d => d.State == BackfillState.Completed)} run, {done.Count(HasFailed)} failed.");
        foreach (var window in done.Where(HasFailed)) await call.Error.WriteLineAsync($"failed: window {window.Window}, run {window.Run}: {window.Error}");
    }

    static bool HasFailed(BackfillWindow window) => window.State is not (BackfillState.Current or BackfillState.Completed);

    static StreamName LeadingStream(Configuration configuration, PipelineName name)
    {
        var pipeline = configuration.Pipelines.FirstOrDefault(p => p.Definition.Name == name)?.Definition
            ?? throw new UsageException($"There is no pipeline '{name}'; its pipelines: {(configuration.Pipelines.Count == 0 ? "none" : string.Join(", ", configuration.Pipelines.Select(p => p.Definition.Name)))}.");
        return pipeline.LeadingStream ?? throw new UsageException($"The pipeline '{name}' reads no stream, so it has no windows to fill.");
    }
}
