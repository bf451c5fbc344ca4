using System.Xml.Linq;

namespace LeanPipe.Unit.Repository;

/// <summary>One direction, one owner: who may reference whom, read from the project files themselves.</summary>
public sealed class ProjectReferenceTests
{
    /// <summary>An external system's package and the one project that may know it.</summary>
    static readonly (string Package, string Owner)[] Owners =
    [
        ("AWSSDK.S3", "Lake"), ("AWSSDK.Core", "Lake"), ("YamlDotNet", "Documents"), ("System.CommandLine", "Cli"), ("Google.Protobuf", "DaprWire"), ("Npgsql", "StepRunner"), ("OpenTelemetry", "ServiceDefaults"),
    ];

    static readonly string[] Services = ["Gateway", "Orchestrator", "StepRunner", "Sidecar", "Cli"];

    [Fact]
    public void A_service_references_only_what_is_shared_and_only_the_command_line_composes_services()
    {
        foreach (var (project, references, _) in Projects("services/").Where(p => Services.Contains(p.Name)))
            foreach (var reference in references.Where(Services.Contains))
                project.ShouldBe("Cli", $"{project} references the service {reference}");
    }

    [Fact]
    public void What_is_shared_references_no_service()
    {
        foreach (var (project, references, _) in Projects("services/shared/"))
            references.Intersect(Services).ShouldBeEmpty($"{project} is shared");
    }

    [Fact]
    public void Contracts_reference_nothing()
    {
        var contracts = Projects("services/shared/").Single(p => p.Name == "Contracts");
        contracts.References.ShouldBeEmpty();
        contracts.Packages.ShouldBeEmpty();
    }

    [Fact]
    public void Each_external_system_has_one_owning_project()
    {
        foreach (var (package, owner) in Owners)
            foreach (var (project, _, packages) in Projects("services/").Where(p => p.Packages.Contains(package)))
                project.ShouldBe(owner, $"{project} references {package}");
        Projects("services/").Where(p => p.Packages.Contains("DuckDB.NET.Data.Full")).Select(p => p.Name).ShouldBe(["DuckDb"]);
    }

    [Fact]
    public void Every_project_is_in_the_solution()
    {
        var solution = Tree.Read("LeanPipe.Cloud.sln").Replace('\\', '/');
        // Its packages are not on every feed that the rest restores from.
        const string Apart = "tests/Containers/Containers.csproj";
        foreach (var file in Tree.Files.Where(f => f.EndsWith(".csproj", StringComparison.Ordinal) && f != Apart))
            solution.ShouldContain(file);
        solution.ShouldNotContain(Apart);
    }

    static IEnumerable<(string Name, string[] References, string[] Packages)> Projects(string below) =>
        from file in Tree.Files
        where file.StartsWith(below, StringComparison.Ordinal) && file.EndsWith(".csproj", StringComparison.Ordinal)
        let xml = XDocument.Parse(Tree.Read(file))
        select (Path.GetFileNameWithoutExtension(file),
            xml.Descendants("ProjectReference").Select(r => Path.GetFileNameWithoutExtension(r.Attribute("Include")!.Value)).ToArray(),
            xml.Descendants("PackageReference").Concat(xml.Descendants("OfficialPackage")).Select(r => r.Attribute("Include")!.Value).ToArray());
}
