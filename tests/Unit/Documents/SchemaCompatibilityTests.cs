using LeanPipe.Contracts;
using LeanPipe.Documents;

namespace LeanPipe.Unit.Documents;

public sealed class SchemaCompatibilityTests : IDisposable
{
    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("leanpipe-versions-");

    public void Dispose() => _folder.Delete(recursive: true);

    static StreamDefinition Stream(string fields, string rest = "") =>
        StreamDocument.Parse("s.yaml", $"stream: s\nlisten: 127.0.0.1:0\nschema: {{ fields: {{ t: timestamp, {fields} }} {rest} }}\nevent_time: t\n").Require();

    static List<string> Breaks(string older, string newer, Compatibility mode, string olderRest = "", string newerRest = "") =>
        [.. SchemaCompatibility.Breaks(Stream(older, olderRest), Stream(newer, newerRest) with { Compatibility = mode }, "v1", "v2").Select(b => b.ToString())];

    [Theory]
    [InlineData("a: int64", "a: int64, b?: string")]
    [InlineData("a: int64", "a: int64, b: { type: string, default: x }")]
    [InlineData("a: int64", "a?: int64?")]
    [InlineData("a: { type: int64, min: 0 }", "a: int64")]
    [InlineData("a: int64", "a: float64")]
    [InlineData("a: { type: decimal, precision: 5, scale: 2 }", "a: { type: decimal, precision: 7, scale: 3 }")]
    [InlineData("a: { type: string, max_length: 3, pattern: x }", "a: { type: string, max_length: 4 }")]
    [InlineData("a: { enum: [x] }", "a: { enum: [y, x] }")]
    [InlineData("a: { enum: [x] }", "a: string")]
    [InlineData("a: { list: { record: { x: int64 } }, max_items: 2 }", "a: { list: { record: { x: int64, y?: bool } } }")]
    [InlineData("a: { union: [int64, bool] }", "a: { union: [bool, string, float64] }")]
    [InlineData("a: { type: int64, aliases: [b] }", "a: { type: int64, aliases: [b, c] }")]
    public void Backward_allows_what_accepts_more(string older, string newer)
    {
        Breaks(older, newer, Compatibility.Backward).ShouldBeEmpty();
        Breaks(newer, older, Compatibility.Backward).ShouldNotBeEmpty();
        Breaks(older, newer, Compatibility.Full).ShouldNotBeEmpty();
        Breaks(older, newer, Compatibility.None).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("a?: int64", "a: int64")]
    [InlineData("a: int64?", "a: int64")]
    [InlineData("a: int64", "a: { type: int64, min: 0 }")]
    [InlineData("a: string", "a: { enum: [x] }")]
    [InlineData("a: int64, b?: int64", "a: int64")]
    public void Forward_allows_what_accepts_less(string older, string newer)
    {
        Breaks(older, newer, Compatibility.Forward).ShouldBeEmpty();
        Breaks(newer, older, Compatibility.Forward).ShouldNotBeEmpty();
    }

    [Theory]
    [InlineData("a: int64", "a: string", "'a': it is int64 in v1 and string in v2.")]
    [InlineData("a: int64", "b: { type: int64, aliases: [a] }", "'b': records of v1 do not have it, and v2 requires it; give it a default, or mark it optional.|'a': it is called 'b' in v2, and segments of v1 have no such column; keep the name, or add a field beside it.")]
    [InlineData("a: { timestamp: seconds }", "a: { timestamp: milliseconds }", "'a': it is timestamp in seconds in v1 and timestamp in milliseconds in v2.")]
    [InlineData("a: { list: { record: { x: { list: int64 } } } }", "a: { list: { record: { x: { list: bool } } } }", "'a[].x': an item of the list: it is int64 in v1 and bool in v2.")]
    [InlineData("a: { type: int64, aliases: [b] }", "a: int64", "'a': records of v1 may bring it as 'b', which v2 does not know.")]
    public void A_break_names_the_field_and_both_sides(string older, string newer, string expected) => string.Join('|', Breaks(older, newer, Compatibility.Backward)).ShouldBe(expected);

    [Fact]
    public void Forward_keeps_columns_that_can_hold_what_is_already_in_the_window() =>
        Breaks("a: float64", "a: int64", Compatibility.Forward).ShouldBe(["'a': it is float64 in v1 and int64 in v2, whose column cannot hold what v1 wrote into the same window."]);

    [Fact]
    public void Unknown_fields_may_be_allowed_but_not_forbidden()
    {
        Breaks("a: int64", "a: int64", Compatibility.Backward, "", ", extra: keep").ShouldBeEmpty();
        Breaks("a: int64", "a: int64", Compatibility.Backward, ", extra: ignore").ShouldBe(["records of v1 may have unknown fields, which v2 rejects."]);
        Breaks("a: int64, b: int64", "a: int64", Compatibility.Backward, ", extra: ignore", ", extra: ignore").ShouldBeEmpty();
    }

    [Fact]
    public void The_newest_version_of_a_folder_runs_and_carries_its_number()
    {
        Write("s/v2.yaml", "a: int64, b?: int64");
        Write("s/v10.yaml", "a: float64, b?: int64");
        Write("s/v1.yaml", "a: int64");
        Write("plain.yaml", "a: int64", "plain");
        var configuration = ConfigFolder.Load(_folder.FullName).Require();
        configuration.Streams.Select(s => s.SchemaId).ShouldBe(["plain", "s/v10"]);
        ConfigFolder.LoadStreams(_folder.FullName).Require()[1].Versions.Select(v => v.Version).ShouldBe([1, 2, 10]);
    }

    [Fact]
    public void A_mounted_ConfigMap_s_own_folders_hold_no_versions()
    {
        Write("..2026_01_01/s.yaml", "a: int64");
        var streams = Path.Combine(_folder.FullName, "streams");
        Directory.CreateSymbolicLink(Path.Combine(streams, "..data"), "..2026_01_01");
        File.CreateSymbolicLink(Path.Combine(streams, "s.yaml"), "..data/s.yaml");
        ConfigFolder.Load(_folder.FullName).Require().Streams.ShouldHaveSingleItem().SchemaId.ShouldBe("s");
    }

    void Write(string file, string fields, string name = "s")
    {
        var path = Path.Combine(_folder.FullName, "streams", file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, $"stream: {name}\nlisten: 127.0.0.1:0\nschema: {{ fields: {{ t: timestamp, {fields} }} }}\nevent_time: t\n");
    }
}
