using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using LeanPipe.Documents;
using LeanPipe.Gateway.Validation;
using LeanPipe.Unit.Repository;

namespace LeanPipe.Unit.Gateway;

/// <summary>
/// tests/golden/schema/strict.json: types, JSON values, whether a strict Pydantic model (2.13) takes them, and, where this gateway decides otherwise, that it does and why.
/// </summary>
public sealed class StrictTableTests
{
    static readonly Row[] Rows = JsonSerializer.Deserialize(Tree.Read("tests/golden/schema/strict.json"), TableJson.Default.RowArray)!;

    public static TheoryData<string> Types => [.. Rows.Select(r => r.Type).Distinct()];

    [Theory, MemberData(nameof(Types))]
    public void A_type_accepts_what_the_table_says(string type)
    {
        var stream = StreamDocument.Parse("s.yaml", $"stream: s\nlisten: 127.0.0.1:0\nschema: {{ fields: {{ v: {type}, t: timestamp }} }}\nevent_time: t\n").Require();
        var validator = new RecordValidator(stream.Schema, "t", canonicalTimestamps: false);
        foreach (var row in Rows.Where(r => r.Type == type))
        {
            var frame = Encoding.UTF8.GetBytes($$"""{"v":{{row.Value}},"t":"2026-01-01T10:00:00Z"}""");
            var verdict = new Verdict();
            validator.AcceptsStrictly(frame, verdict);
            var code = verdict.Code == RejectCode.None ? null : verdict.Code.Text();
            code.ShouldBe(row.Code, $"{type} ← {row.Value}");
            validator.Accepts(frame, verdict).ShouldBe(row.Code is null, $"{type} ← {row.Value}, by the quick walk");
        }
    }

    [Fact]
    public void Every_row_that_decides_otherwise_than_Pydantic_says_why()
    {
        foreach (var row in Rows) (row.Why is not null).ShouldBe(row.Pydantic != (row.Code is null), $"{row.Type} ← {row.Value}");
    }

    /// <param name="Value">JSON, or what is none.</param>
    /// <param name="Code">The reject code of this gateway; null when it accepts.</param>
    public sealed record Row(string Type, string Value, bool Pydantic, string? Code, string? Why);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(StrictTableTests.Row[]))]
sealed partial class TableJson : JsonSerializerContext;
