using System.Globalization;
using LeanPipe.Contracts;

namespace LeanPipe.Orchestrator;

/// <summary>A run's parameters: given values over defaults, every one as text that DuckDB casts to its type.</summary>
static class ParamBinding
{
    public static IReadOnlyList<ParamValue> Bind(PipelineDefinition pipeline, IReadOnlyDictionary<string, string> given, List<string> errors)
    {
        var known = string.Join(", ", pipeline.Params.Select(p => p.Name));
        foreach (var name in given.Keys.Where(name => pipeline.Params.All(p => p.Name != name)).Order(StringComparer.Ordinal))
            errors.Add($"Parameter '{name}' is not one of pipeline '{pipeline.Name}', which has {(known.Length == 0 ? "none" : known)}.");

        var values = new List<ParamValue>();
        foreach (var param in pipeline.Params)
        {
            if ((given.TryGetValue(param.Name, out var value) ? value : param.Default) is not { } text)
                errors.Add($"Parameter '{param.Name}' has no default: give it with the run.");
            else if (Canonical(param.Type, text) is { } canonical)
                values.Add(new(param.Name, param.Type, canonical));
            else
                errors.Add($"Parameter '{param.Name}' is '{text}': expected {Expected(param.Type)}.");
        }
        return values;
    }

    static string? Canonical(ParamType type, string text) => type switch
    {
        ParamType.String => text,
        ParamType.Int64 => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number.ToString(CultureInfo.InvariantCulture) : null,
        ParamType.Float64 => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number)
            ? number.ToString("R", CultureInfo.InvariantCulture) : null,
        ParamType.Bool => text is "true" or "false" ? text : null,
        ParamType.Timestamp => Instant(text)?.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture),
        _ => null,
    };

    // Without a zone a text is no instant: it is refused, not read as UTC or as somebody's local time.
    static DateTime? Instant(string text) => text.Contains('T', StringComparison.Ordinal) &&
        (text.EndsWith('Z') || text.LastIndexOfAny(['+', '-']) > text.IndexOf('T', StringComparison.Ordinal)) &&
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.None, out var instant) ? instant.UtcDateTime : null;

    static string Expected(ParamType type) => type switch
    {
        ParamType.Int64 => "a whole number of 64 bits",
        ParamType.Float64 => "a finite number",
        ParamType.Bool => "true or false",
        ParamType.Timestamp => "a timestamp with its zone, 2026-01-01T10:00:00Z",
        _ => "text",
    };
}
