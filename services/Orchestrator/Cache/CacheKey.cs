using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using LeanPipe.Contracts;

namespace LeanPipe.Orchestrator;

/// <summary>What a task's result depends on: two tasks with equal parts yield equal rows. Not among them: the run, the window's name, limits.</summary>
/// <param name="Parts">By name, each a digest or a short text.</param>
sealed record CacheKey(string Value, IReadOnlyDictionary<string, string> Parts)
{
    /// <summary>Changes when the step runner writes the same rows differently, so that older results are not taken any more.</summary>
    const string Writer = "1";

    /// <param name="engine">As <see cref="TaskOutcome.Engine"/>.</param>
    public static CacheKey Of(TaskSpec spec, string engine)
    {
        var parts = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["engine"] = $"{engine}, writer {Writer}",
            ["sql"] = Digest(SqlNormalForm.Of(spec.Sql)),
            ["output"] = Digest(JsonSerializer.Serialize(spec.Output, ContractsJson.Default.TaskOutput)),
            ["checks"] = Digest(string.Join('\n', spec.Checks.Select(c => $"{c.Name}|{c.Expect}|{c.Severity}|{c.Rows}|{SqlNormalForm.Of(c.Sql)}"))),
        };
        foreach (var input in spec.Inputs) parts[$"input {input.Name}"] = Input(input);
        var read = Variables(spec);
        foreach (var param in spec.Params.Where(p => read is null || read.Contains(p.Name))) parts[$"param {param.Name}"] = $"{param.Type} {param.Value}";
        return new(Digest(string.Join('\n', parts.Select(p => $"{p.Key}={p.Value}"))), parts);
    }

    /// <summary>Why the task's result is never taken for another's; null when it may be.</summary>
    public static string? Refusal(TaskSpec spec)
    {
        if (spec.Load is not null) return "it loads into a database, which has a ledger of its own";
        if (spec.Cache is false) return "the step says cache: false";
        if (spec.Inputs.FirstOrDefault(i => i.Objects.Any(o => o.Sha256.Length == 0)) is { } input) return $"input {input.Name} has objects without a checksum";
        return spec.Checks.Select(c => c.Sql).Append(spec.Sql).Select(SqlNormalForm.FindVolatile).FirstOrDefault(f => f is not null) is { } function ? $"the SQL uses {function}, which yields something else each time" : null;
    }

    static IReadOnlySet<string>? Variables(TaskSpec spec)
    {
        var all = new HashSet<string>(StringComparer.Ordinal);
        foreach (var sql in spec.Checks.Select(c => c.Sql).Append(spec.Sql))
        {
            if (SqlNormalForm.Variables(sql) is not { } read) return null;
            all.UnionWith(read);
        }
        return all;
    }

    /// <summary>Objects by their contents and in their order. One that another writer added to a table has no checksum: it is known by its name and size.</summary>
    static string Input(TaskInput input) => Digest(string.Create(
        CultureInfo.InvariantCulture,
        $"{input.Format}\n{string.Join('\n', input.Columns.Select(c => $"{c.Name}|{c.ReadAs}|{c.Type}|{c.Expression}"))}\n\n{string.Join('\n', input.Objects.Select(o => o.Sha256.Length > 0 ? $"{o.Sha256}|{o.Bytes}" : $"{o.Key}|{o.Bytes}"))}"));

    static string Digest(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
