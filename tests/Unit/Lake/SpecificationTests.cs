using System.Text.Json;
using System.Text.RegularExpressions;
using LeanPipe.Lake;
using LeanPipe.Unit.Repository;

namespace LeanPipe.Unit.Lake;

public sealed class SpecificationTests
{
    static readonly string[] Sources = ["Lake", "Tables", "Housekeeping"];

    static readonly string Spec = Tree.Read("docs/specs/lake.md");

    [Fact]
    public void The_specification_names_every_member_of_every_document()
    {
        var missing = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var name in GoldenSamples.ReadAndWrite.Keys.Where(n => n != "delta-commit"))
        {
            using var document = JsonDocument.Parse(GoldenSamples.Write(name));
            foreach (var member in Members(document.RootElement).Where(m => !Spec.Contains($"`{m}`", StringComparison.Ordinal))) missing.Add($"{name}: {member}");
        }
        missing.ShouldBeEmpty();
    }

    [Fact]
    public void The_specification_names_every_error_code_and_every_prefix()
    {
        var codes = Tree.Files.Where(f => Sources.Any(s => f.StartsWith($"services/shared/{s}/", StringComparison.Ordinal)) && f.EndsWith(".cs", StringComparison.Ordinal))
            .SelectMany(f => Regex.Matches(Tree.Read(f), "\"(lake\\.[a-z0-9_]+)\"").Select(m => m.Groups[1].Value)).Distinct();
        codes.Where(c => !Spec.Contains($"`{c}`", StringComparison.Ordinal)).ShouldBeEmpty();
        LakeLayout.Prefixes.Where(p => !Spec.Contains($"`{p}", StringComparison.Ordinal)).ShouldBeEmpty();
    }

    // Keys of maps from data (columns, windows, reasons, parameters) are no members.
    static IEnumerable<string> Members(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().SelectMany(p =>
            p.Name is "rejects" or "windows" or "codes" or "rejected" ? [p.Name] : p.Name is "stats" ? p.Value.EnumerateObject().SelectMany(c => Members(c.Value)).Append(p.Name)
            : p.Value.ValueKind == JsonValueKind.Object && p.Name == "params" ? [p.Name] : Members(p.Value).Append(p.Name)),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(Members),
        _ => [],
    };
}
