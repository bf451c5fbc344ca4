using System.Security.Cryptography;
using System.Text.Json;
using LeanPipe.Contracts;

namespace LeanPipe.Orchestrator;

/// <summary>What of a plan comes from the pipeline's document and the request's parameters, and not from the inputs' contents, as one SHA-256.</summary>
static class PlanDigest
{
    static readonly string[] Pinned = ["windows/", "table ", "files "];

    public static string Of(IReadOnlyList<PlannedStep> steps, IReadOnlyList<ParamValue> values)
    {
        // A file beside the document is a part of it. Any other input stands there by its kind: which revision, version or objects it was pinned to is not the document's.
        var said = steps.Select(s => s with { MemoryBytes = null, InputBytes = null, Inputs = [.. s.Inputs.Select(i => i with { Objects = IsFile(i) ? [.. i.Objects.Select(o => o with { Key = o.Sha256 })] : [], Columns = [], Windows = null, Source = Kind(i.Source) })] }).ToList();
        var json = JsonSerializer.SerializeToUtf8Bytes(
            new RunPlan
            {
                Run = new("digest"),
                Request = new(new("digest"), WindowId.Parse("2000-01-01")),
                Pipeline = new("digest"),
                Window = WindowId.Parse("2000-01-01"),
                Revision = 0,
                PlannedAt = DateTimeOffset.UnixEpoch,
                Params = values,
                Steps = said,
            },
            ContractsJson.Default.RunPlan);
        return Convert.ToHexStringLower(SHA256.HashData(json));
    }

    static bool IsFile(PlannedInput input) => input.Step is null && Pinned.All(p => !input.Source.StartsWith(p, StringComparison.Ordinal));

    /// <summary><c>table sensors@3</c> is <c>table sensors</c>, a window's manifest is its stream.</summary>
    static string Kind(string source) => source.StartsWith("windows/", StringComparison.Ordinal) ? string.Join('/', source.Split('/').Take(2)) : source.Split('@')[0];
}
