using System.Text.RegularExpressions;

namespace LeanPipe.Unit.Repository;

public sealed partial class TreeTests
{
    [Fact]
    public void No_source_file_is_longer_than_400_lines()
    {
        var tooLong = Sources().Where(f => Lines(f) > 400).Select(f => $"{f}: {Lines(f)} lines");
        tooLong.ShouldBeEmpty();
    }

    [Fact]
    public void The_median_source_file_stays_near_100_lines()
    {
        var lengths = Sources().Select(Lines).Order().ToArray();
        lengths[lengths.Length / 2].ShouldBeLessThanOrEqualTo(130);
    }

    [Fact]
    public void No_file_is_named_after_a_drawer()
    {
        Sources().Where(f => DrawerName().IsMatch(f)).ShouldBeEmpty();
    }

    [Fact]
    public void Nothing_is_left_unfinished()
    {
        // The marks are put together here so that this file is not one of its own findings.
        var marks = new[] { "TO" + "DO", "FIX" + "ME", "HA" + "CK", "XX" + "X", "NotImplemented" + "Exception" };
        var found = from file in Sources() let text = Tree.Read(file) from mark in marks where Regex.IsMatch(text, $@"\b{mark}\b") select $"{file}: {mark}";
        found.ShouldBeEmpty();
    }

    [Fact]
    public void No_test_sleeps()
    {
        var sleeps = new Regex(@"Thread\.Sleep|Task\.Delay" + @"\(", RegexOptions.CultureInvariant);
        Tree.Files.Where(f => f.StartsWith("tests/", StringComparison.Ordinal) && f.EndsWith(".cs", StringComparison.Ordinal) && f != ThisFile)
            .Where(f => sleeps.IsMatch(Tree.Read(f))).ShouldBeEmpty();
    }

    [Fact]
    public void No_error_is_swallowed()
    {
        Sources().Where(f => EmptyCatch().IsMatch(Tree.Read(f))).ShouldBeEmpty();
    }

    [Fact]
    public void Every_service_tells_on_one_screen_what_goes_in_and_out()
    {
        foreach (var service in new[] { "Gateway", "Orchestrator", "StepRunner", "Cli", "Sidecar" })
        {
            var readme = Tree.Read($"services/{service}/README.md");
            foreach (var word in new[] { "In", "Out", "Keeps", "Never", "Knobs" }) readme.ShouldContain(word, Case.Sensitive, $"services/{service}/README.md");
            readme.Split('\n').Length.ShouldBeLessThanOrEqualTo(60, $"services/{service}/README.md");
        }
    }

    const string ThisFile = "tests/Unit/Repository/TreeTests.cs";

    static IEnumerable<string> Sources() => Tree.Files.Where(f => f.EndsWith(".cs", StringComparison.Ordinal));

    static int Lines(string file) => File.ReadLines(Path.Combine(Tree.Root, file)).Count();

    [GeneratedRegex(@"(Manager|Helpers?|Utils?|Common|Base|Impl)\.cs$", RegexOptions.CultureInvariant)]
    private static partial Regex DrawerName();

    [GeneratedRegex(@"catch(\s*\([^)]*\))?(\s*when\s*\([^{]*\))?\s*\{\s*\}", RegexOptions.CultureInvariant)]
    private static partial Regex EmptyCatch();
}
