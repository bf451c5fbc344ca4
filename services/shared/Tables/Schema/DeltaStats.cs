using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using LeanPipe.Contracts;

namespace LeanPipe.Tables;

/// <summary>A chunk's statistics as the text of <c>add.stats</c>.</summary>
/// <remarks>
/// A bound may be wider than the values but never narrower, or readers skip rows that they should see. So a minimum is cut down and a maximum is moved up: timestamps to
/// the millisecond, strings to <see cref="StringPrefix"/> characters. A bound that cannot be expressed (NaN, a year that ISO 8601 has no four digits for) is left out.
/// </remarks>
static class DeltaStats
{
    public const int StringPrefix = 32;

    public static string ToJson(long rows, IReadOnlyDictionary<string, ColumnStats>? stats, DeltaSchema schema)
    {
        JsonObject minimums = [], maximums = [], nulls = [];
        if (stats is not null) Fill(schema.Type, "", stats, minimums, maximums, nulls);
        return new JsonObject { ["numRecords"] = rows, ["minValues"] = minimums, ["maxValues"] = maximums, ["nullCount"] = nulls }
            .ToJsonString(DeltaJson.Text);
    }

    /// <summary><c>numRecords</c> of the text of <c>add.stats</c>; null when it does not say.</summary>
    /// <exception cref="JsonException">The text is no JSON object.</exception>
    public static long? RowsOf(string? text)
    {
        if (text is null) return null;
        using var stats = JsonDocument.Parse(text);
        if (stats.RootElement.ValueKind != JsonValueKind.Object) throw new JsonException("it is no object");
        return stats.RootElement.TryGetProperty("numRecords", out var count) && count.ValueKind == JsonValueKind.Number && count.TryGetInt64(out var rows) ? rows : null;
    }

    // Fields of a struct stand in an object of its name, as they do in the schema.
    static void Fill(DeltaStruct type, string within, IReadOnlyDictionary<string, ColumnStats> stats, JsonObject minimums, JsonObject maximums, JsonObject nulls)
    {
        foreach (var field in type.Fields)
        {
            switch (field.Type)
            {
                case DeltaStruct inner:
                    JsonObject low = [], high = [], none = [];
                    Fill(inner, $"{within}{field.Name}.", stats, low, high, none);
                    if (low.Count > 0) minimums[field.Name] = low;
                    if (high.Count > 0) maximums[field.Name] = high;
                    if (none.Count > 0) nulls[field.Name] = none;
                    break;
                case DeltaPrimitive primitive when stats.TryGetValue(within + field.Name, out var column):
                    nulls[field.Name] = column.Nulls;
                    if (Bound(primitive.Name, column.Min, isMax: false) is { } min) minimums[field.Name] = min;
                    if (Bound(primitive.Name, column.Max, isMax: true) is { } max) maximums[field.Name] = max;
                    break;
            }
        }
    }

    static JsonNode? Bound(string type, string? text, bool isMax) => (text, type) switch
    {
        (null, _) or (_, "boolean" or "binary") => null,
        (_, "string") => Cut(text, isMax),
        (_, "date") => DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _) ? JsonValue.Create(text) : null,
        (_, "timestamp") => Instant(text, isMax),
        _ => Number(text),
    };

    static JsonNode? Number(string text)
    {
        try
        {
            return JsonNode.Parse(text) is JsonValue value && value.GetValueKind() == JsonValueKind.Number ? value : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    static JsonValue? Instant(string text, bool isMax)
    {
        if (!DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var instant)) return null;
        var ticks = instant.UtcTicks - instant.UtcTicks % TimeSpan.TicksPerMillisecond;
        if (isMax && ticks < instant.UtcTicks) ticks += TimeSpan.TicksPerMillisecond;
        return ticks > DateTime.MaxValue.Ticks ? null : JsonValue.Create(new DateTime(ticks, DateTimeKind.Utc).ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
    }

    static JsonValue? Cut(string text, bool isMax)
    {
        var prefix = new StringBuilder();
        var characters = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            if (characters++ == StringPrefix)
            {
                // Whatever follows the prefix sorts before this highest code point, unless it is that code point itself.
                return !isMax ? JsonValue.Create(prefix.ToString()) : rune.Value == 0x10FFFF ? null : JsonValue.Create(prefix.Append("\U0010FFFF").ToString());
            }
            prefix.Append(rune.ToString());
        }
        return JsonValue.Create(text);
    }
}
