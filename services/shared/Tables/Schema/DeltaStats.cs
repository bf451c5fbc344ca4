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
        foreach (var field in schema.Type.Fields)
        {
            if (field.Type is not DeltaPrimitive type || stats is null || !stats.TryGetValue(field.Name, out var column)) continue;
            nulls[field.Name] = column.Nulls;
            if (Bound(type.Name, column.Min, isMax: false) is { } min) minimums[field.Name] = min;
            if (Bound(type.Name, column.Max, isMax: true) is { } max) maximums[field.Name] = max;
        }
        return new JsonObject { ["numRecords"] = rows, ["minValues"] = minimums, ["maxValues"] = maximums, ["nullCount"] = nulls }
            .ToJsonString(DeltaJson.Text);
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
