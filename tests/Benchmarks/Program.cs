using LeanPipe.Benchmarks;
using LeanPipe.Benchmarks.Ingest;
using LeanPipe.Benchmarks.Kubernetes;
using LeanPipe.Benchmarks.Pipelines;
using LeanPipe.Benchmarks.Sidecar;

// One word per part. A result is the best of its runs: the others tell how loaded the machine was, not how fast the code is.
if (args is [StartUp.Child, var state])
{
    await StartUp.RunChildAsync(state);
    return 0;
}

if (args is [Compaction.Child, var script])
{
    Compaction.RunChild(script);
    return 0;
}

if (args is ["ingest", .. var rest] && IngestOptions.Parse(rest) is { } options)
{
    var measured = await new IngestBenchmark(options).RunAsync();
    if (options.Machine is not null) Report.Write("ingest", options.Machine, options.Runs, measured, IngestTable.Of(measured));
    return 0;
}

if (args is ["kubernetes", .. var label])
{
    var found = await KubernetesBenchmark.MeasureAsync();
    if (found.Count == 0) return 2;
    Report.Write("kubernetes", label is [var machine] ? machine : Machine.Label, 1, found);
    return 0;
}

if (args is not [var part, ..] || part is not ("sidecar" or "pipelines"))
{
    await Console.Error.WriteLineAsync("Say which part: sidecar or pipelines [runs, 3 or 2 by default] [machine label, <os>-<architecture>-<cores>core by default]");
    await Console.Error.WriteLineAsync($"or {IngestOptions.Usage}");
    await Console.Error.WriteLineAsync("or kubernetes [machine label]");
    return 2;
}

// The pipelines' gigabytes are converted twice: a third time would take the part above six minutes.
var runs = args.Length > 1 ? int.Parse(args[1]) : part == "pipelines" ? 2 : 3;
var results = new List<Result>();
if (part == "pipelines") results.AddRange(await PipelinesBenchmark.MeasureAsync(runs));
else foreach (var run in new Func<int, Task<IReadOnlyList<Result>>>[] { Turns.MeasureAsync, FanOut.MeasureAsync, StartUp.MeasureAsync })
    results.AddRange(await run(runs));
Report.Write(part, args.Length > 2 ? args[2] : Machine.Label, runs, results);
return 0;
