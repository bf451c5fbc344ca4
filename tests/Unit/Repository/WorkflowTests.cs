using System.Diagnostics;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace LeanPipe.Unit.Repository;

/// <summary>What a reader of .github/workflows can see without a runner: pins, names that lead somewhere, paths that exist, scripts that parse.</summary>
public sealed partial class WorkflowTests
{
    static readonly string[] Images = [.. Tree.Files.Where(f => f.StartsWith("services/", StringComparison.Ordinal) && f.EndsWith("/Dockerfile", StringComparison.Ordinal))];

    public static TheoryData<string> Workflows => [.. Tree.Files.Where(f => f.StartsWith(".github/workflows/", StringComparison.Ordinal))];

    [Fact]
    public void Every_action_is_pinned_by_digest_says_its_version_and_has_one_digest_everywhere()
    {
        var all = Workflows.SelectMany(w => Uses().Matches(Tree.Read(w.Data))).ToArray();
        all.ShouldNotBeEmpty();
        foreach (var uses in all) uses.Value.ShouldMatch(@"@[0-9a-f]{40} # v\d+\.\d+\.\d+$");
        all.GroupBy(u => u.Groups["action"].Value).Where(a => a.Select(u => u.Groups["pin"].Value).Distinct().Count() > 1).Select(a => a.Key).ShouldBeEmpty();
    }

    [Theory, MemberData(nameof(Workflows))]
    public void Every_job_may_only_read_unless_it_says_so_ends_by_itself_and_waits_for_jobs_that_exist(string file)
    {
        var workflow = Read(file);
        workflow["permissions"].Texts().ShouldBe(new Dictionary<string, string> { ["contents"] = "read" });
        foreach (var (name, job) in Jobs(workflow))
        {
            int.Parse(job["timeout-minutes"]!.GetValue<string>()).ShouldBeLessThanOrEqualTo(90, name);
            // A label that moves would build with another system from one day to the next.
            job["runs-on"]!.GetValue<string>().ShouldMatch(@"^ubuntu-\d\d\.\d\d$", name);
            if (job["needs"] is { } needs) workflow["jobs"]![needs.GetValue<string>()].ShouldNotBeNull(name);
            foreach (var step in job["steps"].Items()) (step["uses"] is null).ShouldBe(step["run"] is not null, $"{name}: a step runs something or uses something");
        }
    }

    [Theory, MemberData(nameof(Workflows))]
    public void Every_expression_names_what_is_there_by_then(string file)
    {
        var workflow = Read(file);
        foreach (var (name, job) in Jobs(workflow))
        {
            var rows = Rows(job).ToArray();
            var known = new HashSet<string>(workflow["env"].Texts().Keys.Concat(job["env"].Texts().Keys).Select(v => $"env.{v}"));
            foreach (var value in rows.Length == 0 ? [] : rows[0].Keys.Where(k => rows.All(r => r.ContainsKey(k)))) known.Add($"matrix.{value}");
            known.UnionWith(["github.sha", "github.actor", "secrets.GITHUB_TOKEN"]);
            Check(job["env"], known, name);
            foreach (var step in job["steps"].Items())
            {
                Check(step, known, name);
                if (step["id"] is { } id) known.Add($"steps.{id.GetValue<string>()}.outputs.digest");
                foreach (Match set in Exported().Matches(Run(step))) known.Add($"env.{set.Groups["name"].Value}");
            }
        }
    }

    [Theory, MemberData(nameof(Workflows))]
    public void Every_path_exists(string file)
    {
        var found = 0;
        foreach (var (name, job) in Jobs(Read(file)))
        {
            foreach (var path in Expanded(job).SelectMany(t => Paths().Matches(t)).Select(m => m.Value.TrimEnd('.', '/')).Distinct())
            {
                found++;
                (File.Exists(Path.Combine(Tree.Root, path)) || Directory.Exists(Path.Combine(Tree.Root, path))).ShouldBeTrue($"{file}, {name}: {path}");
            }
        }
        found.ShouldBeGreaterThan(4);
    }

    [Fact]
    public void Every_image_is_built_tried_and_released_and_every_project_is_built()
    {
        Images.Length.ShouldBe(4);
        var (ci, release) = (Read(".github/workflows/ci.yml"), Read(".github/workflows/release.yml"));
        foreach (var job in new[] { ci["jobs"]!["images"]!, ci["jobs"]!["containers"]!, release["jobs"]!["images"]! })
            Expanded(job).SelectMany(t => Paths().Matches(t)).Select(m => m.Value).Where(p => p.EndsWith("/Dockerfile", StringComparison.Ordinal)).Distinct().Order(StringComparer.Ordinal).ShouldBe(Images);
        foreach (var row in Rows(release["jobs"]!["images"]!)) $"{row["project"]}/Dockerfile".ShouldBe(row["dockerfile"]);

        // Without a name it is the solution, which holds every project but those of tests/Containers; a test of its own says so.
        Scripts(ci["jobs"]!["build"]!).ShouldContain("dotnet build");
        Scripts(ci["jobs"]!["containers"]!).ShouldContain(s => s.Contains("dotnet test tests/Containers", StringComparison.Ordinal));
        Rows(ci["jobs"]!["build"]!).Select(r => r["packages"]).ShouldBe(["stand-ins", "official"]);
    }

    [Fact]
    public void Every_script_parses_and_may_be_called()
    {
        var scripts = Workflows.SelectMany(w => Jobs(Read(w.Data))).SelectMany(j => Scripts(j.Job)).Select(s => Expression().Replace(s, "x")).ToList();
        scripts.Count.ShouldBeGreaterThan(8);
        foreach (var file in Tree.Files.Where(f => f == "leanpipe" || f.StartsWith(".ci/", StringComparison.Ordinal)))
        {
            if (!OperatingSystem.IsWindows()) File.GetUnixFileMode(Path.Combine(Tree.Root, file)).HasFlag(UnixFileMode.UserExecute).ShouldBeTrue(file);
            scripts.Add(Tree.Read(file));
        }
        foreach (var script in scripts)
        {
            using var bash = Process.Start(new ProcessStartInfo("bash", ["-n"]) { RedirectStandardInput = true, RedirectStandardError = true, UseShellExecute = false })!;
            bash.StandardInput.Write(script);
            bash.StandardInput.Close();
            var errors = bash.StandardError.ReadToEnd();
            bash.WaitForExit();
            bash.ExitCode.ShouldBe(0, $"{errors}\n{script}");
        }
    }

    static JsonNode Read(string file) => Yaml.Documents(Tree.Read(file)).Single();

    static IEnumerable<(string Name, JsonNode Job)> Jobs(JsonNode workflow) => workflow["jobs"]!.AsObject().Select(j => (j.Key, j.Value!));

    static IEnumerable<string> Scripts(JsonNode job) => job["steps"].Items().Select(Run).Where(r => r.Length > 0);

    static string Run(JsonNode step) => step["run"]?.GetValue<string>() ?? "";

    /// <summary>One per job that the matrix makes.</summary>
    static IEnumerable<Dictionary<string, string>> Rows(JsonNode job)
    {
        if (job["strategy"]?["matrix"] is not JsonObject matrix) return [];
        if (matrix["include"] is { } include) return include.Items().Select(r => r.Texts());
        var (name, values) = matrix.Single();
        return values.Items().Select(v => new Dictionary<string, string> { [name] = v.GetValue<string>() });
    }

    /// <summary>All text of a job's steps, once per row of its matrix and per value of a loop over words.</summary>
    static IEnumerable<string> Expanded(JsonNode job)
    {
        foreach (var row in Rows(job).DefaultIfEmpty([]))
        {
            foreach (var text in job["steps"].Items().SelectMany(Leaves))
            {
                var expanded = Matrix().Replace(text, m => row[m.Groups["name"].Value]);
                if (Loop().Match(expanded) is not { Success: true } loop)
                    yield return expanded;
                else
                    foreach (var word in loop.Groups["words"].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                        yield return expanded.Replace($"${loop.Groups["name"].Value}", word, StringComparison.Ordinal);
            }
        }
    }

    static IEnumerable<string> Leaves(JsonNode? node) => node switch
    {
        JsonObject fields => fields.SelectMany(f => Leaves(f.Value)),
        JsonArray items => items.SelectMany(Leaves),
        JsonValue value => [value.GetValue<string>()],
        _ => [],
    };

    static void Check(JsonNode? of, HashSet<string> known, string job)
    {
        foreach (var name in Leaves(of).SelectMany(t => Expression().Matches(t)).SelectMany(e => Name().Matches(e.Value)).Select(m => m.Value)) known.ShouldContain(name, job);
    }

    [GeneratedRegex(@"uses:\s*(?<action>[^\s@]+)@(?<pin>\S+).*$", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex Uses();

    [GeneratedRegex(@"\$\{\{.*?\}\}", RegexOptions.CultureInvariant)]
    private static partial Regex Expression();

    [GeneratedRegex(@"\$\{\{ matrix\.(?<name>\w+) \}\}", RegexOptions.CultureInvariant)]
    private static partial Regex Matrix();

    [GeneratedRegex(@"\b(github|matrix|env|steps|secrets|inputs|needs|vars|runner)\.[\w.-]+", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Name();

    [GeneratedRegex(@"echo ""(?<name>\w+)=.*>>""\$GITHUB_ENV""", RegexOptions.CultureInvariant)]
    private static partial Regex Exported();

    [GeneratedRegex(@"for (?<name>\w+) in (?<words>[^;$]+); do", RegexOptions.CultureInvariant)]
    private static partial Regex Loop();

    // What is published by the workflow itself is below artifacts/, and is not there yet.
    [GeneratedRegex(@"(?<![\w./-])(services|tests|charts|docs|dapr-components|\.ci)/[\w./-]*", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Paths();
}
