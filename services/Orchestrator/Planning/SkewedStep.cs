using LeanPipe.Contracts;

namespace LeanPipe.Orchestrator;

/// <summary>A shuffle whose document says how to put shares of a bucket together becomes two planned steps: one over shares of heavy buckets and over whole others, and the merge of the shares.</summary>
/// <remarks>
/// That only works for what can be computed from shares (sums, counts, extremes, and joins of rows), which the document promises by its <c>merge</c>. Which buckets are heavy is known when
/// their sizes are: when the step is planned, never before.
/// </remarks>
static class SkewedStep
{
    const string Tail = "-parts";

    public static IEnumerable<PlannedStep> Of(PlannedStep step, HashFanOut hash, string merge, PipelineDefinition pipeline, List<string> errors)
    {
        if (!Name.IsValid(step.Name + Tail) || pipeline.Steps.Any(s => s.Name.Value == step.Name + Tail))
        {
            errors.Add($"Step '{step.Name}' needs a step '{step.Name}{Tail}' of its own for the shares of its buckets: give it a shorter name, or the other step another one.");
            yield break;
        }
        var parts = step with { Name = new(step.Name + Tail), SplitAbove = hash.SplitAbove, Publish = null, Dedupe = null };
        yield return parts;
        yield return step with
        {
            Sql = merge,
            Needs = [parts.Name],
            Inputs = [new() { Name = "parts", Source = $"step {parts.Name}", Step = parts.Name }],
            BucketsOf = null,
            BucketsAlso = null,
            MergeOf = parts.Name,
        };
    }
}
