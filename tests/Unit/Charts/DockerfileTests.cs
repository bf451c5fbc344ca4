using System.Text.RegularExpressions;
using LeanPipe.Unit.Repository;

namespace LeanPipe.Unit.Charts;

public sealed partial class DockerfileTests
{
    public static TheoryData<string, string> Services => new() { { "Gateway", "gateway" }, { "Orchestrator", "orchestrator" }, { "StepRunner", "steprunner" }, { "Sidecar", "sidecar" } };

    [Theory, MemberData(nameof(Services))]
    public void An_image_runs_without_root_without_a_shell_and_writes_nothing_of_its_own(string service, string image)
    {
        var lines = Tree.Read($"services/{service}/Dockerfile").Split('\n');
        var runtime = lines.SkipWhile(l => !l.StartsWith("FROM mcr.microsoft.com/dotnet/", StringComparison.Ordinal) || l.Contains("/sdk:", StringComparison.Ordinal)).ToArray();
        runtime[0].ShouldEndWith(":${DOTNET_TAG}");
        runtime.ShouldContain("USER 1654:1654");
        runtime.ShouldNotContain(l => l.StartsWith("RUN", StringComparison.Ordinal), "the image has no shell");
        runtime.ShouldContain(l => l.StartsWith("ENTRYPOINT [\"dotnet\", \"/app/", StringComparison.Ordinal), "the exec form");
        runtime.ShouldContain(l => l.Contains("DOTNET_EnableDiagnostics=0", StringComparison.Ordinal), "its socket would need a writable /tmp");
        runtime.ShouldContain($"LABEL org.opencontainers.image.title=\"LeanPipe {image}\" \\");
        lines.ShouldContain("ARG DOTNET_TAG=10.0-noble-chiseled");
    }

    /// <summary>A Dockerfile cannot include another one, so what the four share stands in each.</summary>
    [Theory, MemberData(nameof(Services))]
    public void An_image_is_built_labelled_and_locked_down_like_the_others(string service, string image) => Shared(service, image).ShouldBe(Shared("Gateway", "gateway"));

    [Theory, MemberData(nameof(Services))]
    public void The_chart_skaffold_and_the_workflows_know_the_image(string service, string image)
    {
        Tree.Files.Any(f => f.StartsWith("charts/leanpipe/templates/", StringComparison.Ordinal) && Tree.Read(f).Contains($"\"name\" \"{image}\")", StringComparison.Ordinal)).ShouldBeTrue();
        Regex.Count(Tree.Read("skaffold.yaml"), $"image: leanpipe/{image}\n.*services/{service}/Dockerfile").ShouldBe(2);
        Tree.Read(".github/workflows/release.yml").ShouldContain($"services/{service}/Dockerfile");
    }

    /// <summary>All lines but the one that says what the service is for, and what is its own.</summary>
    static string[] Shared(string service, string image) =>
    [
        .. Tree.Read($"services/{service}/Dockerfile").Split('\n').Skip(1).Where(l => !Own().IsMatch(l))
            .Select(l => l.Replace(service, "Service", StringComparison.Ordinal).Replace(image, "service", StringComparison.Ordinal).TrimEnd(' ', '\\')),
    ];

    /// <summary>The runtime, the ports, the entry point, the description; and DuckDB's library, where it is.</summary>
    [GeneratedRegex(@"^FROM mcr\.microsoft\.com/dotnet/(aspnet|runtime):|^EXPOSE |^ENTRYPOINT |image\.description=|ASPNETCORE_HTTP_PORTS|^# Compiled ahead|apt-get install|^COPY --from=build /layers/duckdb ", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Own();
}
