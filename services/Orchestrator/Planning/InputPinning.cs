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
            case StreamInput { Stream: var stream }:
                if (sources.Windows.TryGetValue(stream, out var window))
                    return new()
                    {
                        Name = name,
                        Source = window.Key,
                        Format = InputFormat.Ndjson,
                        Columns = window.Manifest.Columns,
                        Objects = window.Manifest.Segments,
                    };
                error = RunPlanner.LeadingStream(sources.Pipeline) == stream && sources.Request.Revision is { } revision
                    ? $"revision {revision} of window {sources.Request.Window} of stream '{stream}' is not in the lake."
                    : $"window {sources.Request.Window} of stream '{stream}' is not sealed yet, or the stream has no such window.";
                return null;
            case StepInput { Step: var step }:
                if (done.Contains(step)) return new() { Name = name, Source = $"step {step}", Step = step };
                error = $"there is no step '{step}' before it.";
                return null;
            case TableInput { Table: var table }:
                if (sources.Tables.TryGetValue(table, out var pinned))
                    return new() { Name = name, Source = $"table {table}@{pinned.Version}", Columns = pinned.Columns, Objects = pinned.Files };
                error = $"table '{table}' does not exist yet: publish it first.";
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

    static InputFormat? FormatOf(string path) => Path.GetExtension(path).ToLowerInvariant() switch
    {
        ".csv" => InputFormat.Csv,
        ".ndjson" or ".jsonl" => InputFormat.Ndjson,
        ".parquet" => InputFormat.Parquet,
        _ => null,
    };
}
