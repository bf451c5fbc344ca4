using System.Text.Json;
using LeanPipe.Contracts;
using LeanPipe.Lake;
using LeanPipe.Tables;

namespace LeanPipe.Unit.Lake;

public sealed class DeltaStatsTests
{
    [Theory]
    [InlineData("TIMESTAMP WITH TIME ZONE", "2026-01-01T10:00:00.123999Z", "\"2026-01-01T10:00:00.123Z\"", "\"2026-01-01T10:00:00.124Z\"")]
    [InlineData("TIMESTAMP WITH TIME ZONE", "2026-01-01T10:00:00.123Z", "\"2026-01-01T10:00:00.123Z\"", "\"2026-01-01T10:00:00.123Z\"")]
    [InlineData("TIMESTAMP WITH TIME ZONE", "infinity", null, null)]
    [InlineData("VARCHAR", "short", "\"short\"", "\"short\"")]
    [InlineData("VARCHAR", "abcdefghijklmnopqrstuvwxyz0123456789", "\"abcdefghijklmnopqrstuvwxyz012345\"", "\"abcdefghijklmnopqrstuvwxyz012345\U0010FFFF\"")]
    [InlineData("VARCHAR", "abcdefghijklmnopqrstuvwxyz012345\U0010FFFF", "\"abcdefghijklmnopqrstuvwxyz012345\"", null)]
    [InlineData("DOUBLE", "-1.5e300", "-1.5e300", "-1.5e300")]
    [InlineData("DOUBLE", "nan", null, null)]
    [InlineData("DECIMAL(38,3)", "12345678901234567890123456789012345.678", "12345678901234567890123456789012345.678", "12345678901234567890123456789012345.678")]
    [InlineData("DATE", "2026-01-01", "\"2026-01-01\"", "\"2026-01-01\"")]
    [InlineData("DATE", "0044-03-15 (BC)", null, null)]
    [InlineData("BOOLEAN", "true", null, null)]
    [InlineData("BLOB", "ab", null, null)]
    [InlineData("BIGINT", null, null, null)]
    public void A_bound_is_never_narrower_than_the_values(string type, string? bound, string? min, string? max)
    {
        var schema = DeltaSchema.Of([new("c", type)]);
        var json = DeltaStats.ToJson(7, new Dictionary<string, ColumnStats> { ["c"] = new(bound, bound, 2), ["unknown"] = new("1", "1", 0) }, schema);
        using var stats = JsonDocument.Parse(json);
        stats.RootElement.GetProperty("numRecords").GetInt64().ShouldBe(7);
        stats.RootElement.GetProperty("nullCount").GetRawText().ShouldBe("""{"c":2}""");
        Bound("minValues").ShouldBe(min);
        Bound("maxValues").ShouldBe(max);

        string? Bound(string kind) => stats.RootElement.GetProperty(kind).TryGetProperty("c", out var value)
            ? value.ValueKind == JsonValueKind.String ? $"\"{value.GetString()}\"" : value.GetRawText()
            : null;
    }
}
