using LeanPipe.Contracts;

namespace LeanPipe.Orchestrator;

/// <summary>One input of a step, pinned to the objects that it will be for the whole run.</summary>
static class InputPinning
{
    public static PlannedInput? Pin(PlanSources sources, string name, InputDefinition input, HashSet<StepName> done, out string? error)
    {
        error = null;
        switch (input)
        {
            case StreamInput stream:
                return Window(sources, name, stream, out error);
            case StepInput { Step: var step }:
                if (done.Contains(step)) return new() { Name = name, Source = $"step {step}", Step = step };
                error = $"there is no step '{step}' before it.";
                return null;
            case TableInput table:
                if (sources.Tables.TryGetValue(table, out var pinned))
                    return new() { Name = name, Source = $"table {table.Table}@{pinned.Version}", Columns = pinned.Columns, Objects = pinned.Files };
                error = table switch
                {
                    { Version: { } version } => $"table '{table.Table}' has no version {version}.",
                    { AsOf: { } instant } => $"table '{table.Table}' had no version at {instant:yyyy-MM-dd'T'HH:mm:ss'Z'}.",
                    _ => $"table '{table.Table}' does not exist yet: publish it first.",
                };
                return null;
            case LakeFilesInput { Pattern: var pattern }:
                if (sources.LakeFiles.GetValueOrDefault(pattern) is { Count: > 0 } objects)
                    return new() { Name = name, Source = $"files {pattern}", Format = FormatOf(pattern.EndsWith(".gz", StringComparison.Ordinal) ? pattern[..^3] : pattern) ?? InputFormat.Parquet, Objects = objects };
                error = $"no object of the lake matches '{pattern}'.";
                return null;
            case FileInput { Path: var path }:
                if (FormatOf(path) is not { } format) error = $"file '{path}' has an unknown ending: expected .csv, .ndjson, .jsonl or .parquet.";
                else if (sources.Files.TryGetValue(path, out var file)) return new() { Name = name, Source = path, Format = format, Objects = [file] };
                else error = $"file '{path}' does not stand beside the pipeline document.";
                return null;
            default:
                error = $"inputs of the kind {input.GetType().Name} cannot be planned.";
                return null;
        }
    }

    static PlannedInput? Window(PlanSources sources, string name, StreamInput input, out string? error)
    {
        error = null;
        if (!sources.Windows.TryGetValue(input.Stream, out var window))
        {
            error = sources.Pipeline.LeadingStream == input.Stream && sources.Request.Revision is { } revision
                ? $"revision {revision} of window {sources.Request.Window} of stream '{input.Stream}' is not in the lake."
                : $"window {sources.Request.Window} of stream '{input.Stream}' is not sealed yet, or the stream has no such window.";
            return null;
        }
        // Columns are the run's own window's: a schema only grows, and what an older segment lacks reads as null.
        var range = input.Last is null ? [window] : (IReadOnlyList<PinnedWindow>)[.. sources.Before.GetValueOrDefault(input) ?? [], window];
        return new()
        {
            Name = name,
            Source = range.Count == 1 ? window.Key : $"{window.Key} and {range.Count - 1} windows before it",
            Format = InputFormat.Ndjson,
            Columns = window.Manifest.Columns,
            Objects = [.. range.SelectMany(w => w.Manifest.Segments)],
            Windows = input.Last is null ? null : [.. range.Select(w => w.Manifest.Segments.Count)],
        };
    }

    static InputFormat? FormatOf(string path) => Path.GetExtension(path).ToLowerInvariant() switch
    {
        ".csv" => InputFormat.Csv,
        ".ndjson" or ".jsonl" => InputFormat.Ndjson,
        ".parquet" => InputFormat.Parquet,
        _ => null,
    };
}
