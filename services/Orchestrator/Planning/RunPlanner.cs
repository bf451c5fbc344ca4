using LeanPipe.Contracts;

namespace LeanPipe.Orchestrator;

/// <summary>A request and what it refers to become a plan with every input pinned. Pure: the same sources give the same plan.</summary>
static class RunPlanner
{
    public static Planning Plan(PlanSources sources)
    {
        var errors = new List<string>();
        var values = ParamBinding.Bind(sources.Pipeline, sources.Request.Params ?? new Dictionary<string, string>(), errors);
        var shuffles = Shuffles(sources.Pipeline, errors);
        var done = new HashSet<StepName>();
        var steps = new List<PlannedStep>();
        foreach (var step in sources.Pipeline.Steps)
        {
            var planned = Plan(sources, step, shuffles.GetValueOrDefault(step.Name), done, errors);
            if (step.FanOut is HashFanOut { Merge: { } merge } hash) steps.AddRange(SkewedStep.Of(planned, hash, merge, sources.Pipeline, errors));
            else steps.Add(planned);
            done.Add(step.Name);
        }
        foreach (var table in sources.Pipeline.Steps.Where(s => s.Publish is not null).GroupBy(s => s.Publish!.Table).Where(g => g.Count() > 1))
            errors.Add($"Table '{table.Key}' is published by the steps {string.Join(" and ", table.Select(s => $"'{s.Name}'"))}: only one of them may.");

        var revision = sources.Pipeline.LeadingStream is { } lead && sources.Windows.TryGetValue(lead, out var window)
            ? window.Manifest.Revision : sources.Request.Revision ?? 1;
        return errors.Count > 0 ? new(null, errors) : new(
            new()
            {
                Run = sources.Run,
                Request = sources.Request,
                Pipeline = sources.Pipeline.Name,
                Window = sources.Request.Window,
                Revision = revision,
                PlannedAt = sources.Now,
                Params = values,
                Steps = steps,
                Timeout = sources.Pipeline.Timeout,
                Digest = PlanDigest.Of(steps, values),
            }, []);
    }

    static PlannedStep Plan(PlanSources sources, StepDefinition step, HashBuckets? shuffle, HashSet<StepName> done, List<string> errors)
    {
        var inputs = new List<PlannedInput>();
        foreach (var (name, input) in OrderedInputs(step))
        {
            if (InputPinning.Pin(sources, name, input, done, out var error) is { } pinned) inputs.Add(pinned);
            else errors.Add($"Step '{step.Name}', input '{name}': {error}");
        }
        var hash = step.FanOut as HashFanOut;
        return new()
        {
            Name = step.Name,
            Sql = step.Sql,
            Inputs = inputs,
            Checks = step.Dedupe.Count > 0 ? [.. step.Checks, OneRowEach(step.Dedupe)] : step.Checks,
            Publish = step.Publish,
            Load = step.Load,
            Needs = [.. step.Inputs.Values.OfType<StepInput>().Select(i => i.Step).Distinct().OrderBy(s => s.Value, StringComparer.Ordinal)],
            BytesPerTask = (step.FanOut as BytesFanOut)?.BytesPerTask,
            BytesOf = step.FanOut is BytesFanOut bytes ? DrivingInput(step, bytes.Input, errors) : null,
            RowsPerTask = (step.FanOut as RowsFanOut)?.RowsPerTask,
            FilesPerTask = (step.FanOut as FilesFanOut)?.FilesPerTask,
            SplitOf = step.FanOut switch
            {
                RowsFanOut rows => DrivingInput(step, rows.Input, errors),
                FilesFanOut files => DrivingInput(step, files.Input, errors),
                WindowFanOut window => window.Input ?? OrderedInputs(step).FirstOrDefault(i => i.Value is StreamInput).Key,
                _ => null,
            },
            BucketsOf = hash?.Input,
            BucketsAlso = hash?.Others is { Count: > 0 } others ? [.. others.Select(o => o.Input)] : null,
            Timeout = step.Timeout,
            MemoryBytes = sources.Limits.GetValueOrDefault(step.Name)?.MemoryBytes,
            InputBytes = sources.Limits.GetValueOrDefault(step.Name)?.InputBytes,
            MaxAttempts = step.Retries + 1,
            Cache = step.Cache ? null : false,
            Dedupe = step.Dedupe.Count > 0 ? step.Dedupe : null,
            Output = new()
            {
                ChunkBytes = step.Output.ChunkBytes,
                OrderBy = step.Output.OrderBy,
                Hash = shuffle,
                PartitionBy = step.Output.PartitionBy.Count > 0 ? step.Output.PartitionBy : null,
                RowGroupRows = step.Output.RowGroupRows,
                Compression = step.Output.Compression is ChunkCompression.Zstd ? null : step.Output.Compression,
            },
        };
    }

    /// <summary>What the declaration says is asked of every task's output: only then what is missing was a duplicate of what is there.</summary>
    static CheckDefinition OneRowEach(IReadOnlyList<string> columns)
    {
        var names = string.Join(", ", columns.Select(c => $"\"{c.Replace("\"", "\"\"", StringComparison.Ordinal)}\""));
        return new("dedupe", $"SELECT {names}, count(*) AS rows FROM output GROUP BY {names} HAVING count(*) > 1", 0, Rows: true);
    }

    /// <summary>Which input a bytes fan-out splits must not depend on how large the inputs of a window happen to be: an outer join would change its meaning.</summary>
    static string? DrivingInput(StepDefinition step, string? input, List<string> errors)
    {
        if (input is { } named)
        {
            if (!step.Inputs.ContainsKey(named)) errors.Add($"Step '{step.Name}' fans out over '{named}', which is not one of its inputs.");
            return named;
        }
        var candidates = OrderedInputs(step).Where(i => i.Value is StreamInput or StepInput).Select(i => i.Key).ToList();
        if (candidates.Count == 0) candidates = [.. OrderedInputs(step).Select(i => i.Key)];
        if (candidates.Count != 1)
            errors.Add($"Step '{step.Name}' splits one input but has {candidates.Count} inputs that could be split ({string.Join(", ", candidates)}): name one of them.");
        return candidates.FirstOrDefault();
    }

    /// <summary>A step that is shuffled over writes its rows in buckets, in one way only. Whoever reads it otherwise reads all its chunks.</summary>
    static Dictionary<StepName, HashBuckets> Shuffles(PipelineDefinition pipeline, List<string> errors)
    {
        var shuffles = pipeline.Steps.Where(s => s.Output.HashBy is not null).ToDictionary(s => s.Name, s => (Hash: s.Output.HashBy!, By: $"'{s.Name}' itself"));
        foreach (var step in pipeline.Steps)
        {
            foreach (var side in step.FanOut is HashFanOut hash ? hash.Sides : [])
            {
                if (!step.Inputs.TryGetValue(side.Input, out var input) || input is not StepInput { Step: var source })
                {
                    errors.Add($"Step '{step.Name}' fans out over buckets of '{side.Input}': expected an input that is another step, for only a step writes buckets.");
                    continue;
                }
                var wanted = new HashBuckets(side.Columns[0], ((HashFanOut)step.FanOut).Buckets, side.Columns.Count > 1 ? [.. side.Columns.Skip(1)] : null);
                if (!shuffles.TryAdd(source, (wanted, $"'{step.Name}'")) && Text(shuffles[source].Hash) != Text(wanted))
                    errors.Add(
                        $"Step '{source}' would have to write {Text(shuffles[source].Hash)} for step {shuffles[source].By} and {Text(wanted)} for step '{step.Name}': " +
                        "use the same column and number of buckets, or put a step between.");
            }
        }
        return shuffles.ToDictionary(s => s.Key, s => s.Value.Hash);
    }

    static string Text(HashBuckets hash) => $"{hash.Buckets} buckets of '{string.Join(", ", hash.Columns)}'";

    static IEnumerable<KeyValuePair<string, InputDefinition>> OrderedInputs(StepDefinition step) => step.Inputs.OrderBy(i => i.Key, StringComparer.Ordinal);
}
