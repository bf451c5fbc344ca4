using System.Text.RegularExpressions;

namespace LeanPipe.Unit.Repository;

public sealed partial class ReadmeTests
{
    [Fact]
    public void A_table_of_figures_is_the_committed_result_it_names()
    {
        var tables = Tree.Files.Where(f => f.EndsWith(".md", StringComparison.Ordinal)).SelectMany(f => ResultTable().Matches(Tree.Read(f))).ToList();
        tables.Count.ShouldBeGreaterThan(0);
        foreach (var table in tables)
            Tree.Read($"tests/Benchmarks/{table.Groups["file"].Value}").ShouldContain(table.Groups["rows"].Value.Trim());
    }

    [Fact]
    public void Every_file_and_folder_that_a_document_links_to_is_there()
    {
        foreach (var file in Tree.Files.Where(f => f.EndsWith(".md", StringComparison.Ordinal)))
        {
            foreach (Match link in Link().Matches(Tree.Read(file)))
            {
                var target = Path.GetFullPath(Path.Combine(Tree.Root, Path.GetDirectoryName(file)!, link.Groups["target"].Value));
                Path.Exists(target).ShouldBeTrue($"{file} links to {link.Groups["target"].Value}");
            }
        }
    }

    [Fact]
    public void Decisions_are_numbered_one_after_another_and_say_their_number()
    {
        var decisions = Tree.Files.Where(f => f.StartsWith("docs/adr/", StringComparison.Ordinal)).ToList();
        decisions.Select(f => f["docs/adr/".Length..][..4]).ShouldBe(Enumerable.Range(1, decisions.Count).Select(n => $"{n:D4}"));
        foreach (var (n, file) in decisions.Index()) Tree.Read(file).ShouldStartWith($"# {n + 1}. ", Case.Sensitive, file);
    }

    [GeneratedRegex(@"<!-- (?<file>results/\S+) -->\n(?<rows>[^<]*)<!-- end -->", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex ResultTable();

    [GeneratedRegex(@"\]\((?<target>[^)#:\s]+)(#[^)]*)?\)", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex Link();
}
