using System.Text.RegularExpressions;
using System.Xml.Linq;
using LeanPipe.Unit.Repository;

namespace LeanPipe.Unit.Charts;

/// <summary>The stage that compiles sees what .dockerignore leaves of the tree: everything its programs are made of, and nothing else.</summary>
public sealed partial class DockerContextTests
{
    static readonly string[] Settings = ["Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props", "global.json", ".globalconfig", ".editorconfig"];

    [Theory, MemberData(nameof(DockerfileTests.Services), MemberType = typeof(DockerfileTests))]
    public void What_a_program_is_compiled_of_is_in_the_context(string service, string image)
    {
        var docker = Tree.Read($"services/{service}/Dockerfile");
        var program = Regex.Match(docker, @"dotnet publish (?<project>services/\S+\.csproj)").Groups["project"].Value;
        program.ShouldBe($"services/{service}/{service}.csproj");
        var projects = new HashSet<string>();
        Follow(program, projects);
        projects.Count.ShouldBeGreaterThan(2);
        foreach (var project in projects)
        {
            Tree.Files.ShouldContain(project);
            var folder = Folder(project);
            foreach (var file in Tree.Files.Where(f => f.StartsWith($"{folder}/", StringComparison.Ordinal)).Concat(Named(project))) Ignored(file).ShouldBeFalse(file);
        }
        foreach (var file in Settings) (Tree.Files.Contains(file) && !Ignored(file)).ShouldBeTrue(file);
        Ignored($"artifacts/publish/{image}/LeanPipe.{service}.dll").ShouldBeFalse("a publish made outside");

        var assembly = XDocument.Parse(Tree.Read(program)).Descendants("AssemblyName").FirstOrDefault()?.Value ?? $"LeanPipe.{service}";
        docker.ShouldContain($"ENTRYPOINT [\"dotnet\", \"/app/{assembly}.dll\"]");
    }

    [Fact]
    public void Nothing_but_the_services_and_the_build_s_settings_is_in_the_context()
    {
        Tree.Files.Where(f => !f.StartsWith("services/", StringComparison.Ordinal) && !Ignored(f)).ShouldBe(Settings, ignoreOrder: true);
        foreach (var file in new[] { "services/Gateway/bin/Debug/a.dll", "services/Gateway/obj/project.assets.json", "services/shared/standins/DuckDB.NET.Data/native/node_modules/a", "artifacts/other/a", "TestResults/a.trx", ".git/config" })
            Ignored(file).ShouldBeTrue(file);
    }

    [Theory, MemberData(nameof(DockerfileTests.Services), MemberType = typeof(DockerfileTests))]
    public void Whatever_is_copied_between_the_stages_was_made_and_every_build_argument_is_known(string service, string image)
    {
        var lines = Tree.Read($"services/{service}/Dockerfile").Split('\n');
        var copied = lines.Where(l => l.StartsWith("COPY", StringComparison.Ordinal)).ToArray();
        copied.ShouldContain("COPY . .");
        var made = lines.Single(l => l.Contains("mkdir -p /layers", StringComparison.Ordinal)).Split(' ', ';');
        foreach (var copy in copied.Where(l => l != "COPY . .")) made.ShouldContain(Regex.Match(copy, @"^COPY --from=build (?<path>/layers/\w+) /$").Groups["path"].Value, copy);

        var known = lines.Where(l => l.StartsWith("ARG ", StringComparison.Ordinal)).Select(l => l[4..].Split('=')[0]).ToArray();
        var given = Tree.Files.Where(f => f.StartsWith(".github/", StringComparison.Ordinal) || f.StartsWith(".ci/", StringComparison.Ordinal) || f is "skaffold.yaml")
            .SelectMany(f => Given().Matches(Tree.Read(f))).Select(m => m.Groups["name"].Value).Distinct().ToArray();
        given.ShouldBe(["DOTNET_TAG", "PUBLISHED", "REVISION", "USE_OFFICIAL_PACKAGES", "VERSION"], ignoreOrder: true, image);
        given.Except(known).ShouldBeEmpty(image);
    }

    static void Follow(string project, HashSet<string> projects)
    {
        if (!projects.Add(project)) return;
        var xml = XDocument.Parse(Tree.Read(project));
        foreach (var reference in xml.Descendants("ProjectReference")) Follow(Resolve(project, reference.Attribute("Include")!.Value), projects);
        // As Directory.Build.targets has it, where the official packages are not used.
        foreach (var package in xml.Descendants("OfficialPackage").Select(p => p.Attribute("Include")!.Value.Replace(".Full", "", StringComparison.Ordinal)))
            Follow($"services/shared/standins/{package}/{package}.csproj", projects);
    }

    /// <summary>Files that a project takes from elsewhere.</summary>
    static IEnumerable<string> Named(string project) =>
        from element in XDocument.Parse(Tree.Read(project)).Descendants()
        where element.Name.LocalName is not ("ProjectReference" or "Using")
        from attribute in element.Attributes()
        where attribute.Value.StartsWith("../", StringComparison.Ordinal)
        let path = Resolve(project, attribute.Value)
        from file in Tree.Files
        where file == path || file.StartsWith(path.Split('*')[0], StringComparison.Ordinal)
        select file;

    static string Resolve(string project, string path) => Path.GetRelativePath("/", Path.Combine("/", Folder(project), path.Replace('\\', '/')));

    static string Folder(string file) => file[..file.LastIndexOf('/')];

    /// <summary>Docker's rules: the last pattern that fits the path, or a folder above it, decides.</summary>
    static bool Ignored(string file)
    {
        var ignored = false;
        foreach (var line in Tree.Read(".dockerignore").Split('\n').Where(l => l.Length > 0 && l[0] != '#'))
        {
            var (negated, pattern) = (line[0] == '!', line.TrimStart('!'));
            var fits = new Regex($"^{Regex.Escape(pattern).Replace(@"\*\*/", "(.*/)?", StringComparison.Ordinal).Replace(@"\*", "[^/]*", StringComparison.Ordinal)}(/|$)", RegexOptions.CultureInvariant);
            if (fits.IsMatch(file)) ignored = !negated;
        }
        return ignored;
    }

    [GeneratedRegex(@"(--build-arg |buildArgs: \{ )(?<name>[A-Z_]+)(=|:)|^ {12}(?<name>[A-Z_]+)=", RegexOptions.CultureInvariant | RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex Given();
}
