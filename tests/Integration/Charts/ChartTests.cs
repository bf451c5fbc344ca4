using System.Text.RegularExpressions;

namespace LeanPipe.Integration.Charts;

/// <summary>Every folder below tests/golden/charts is a set of values, helm's arguments for it, and the manifests it must give.</summary>
public sealed partial class ChartTests
{
    static readonly string Golden = Path.Combine(ChartTools.Root, "tests", "golden", "charts");

    /// <summary>What a chart of ours needs at least, for tests of one value.</summary>
    static readonly string[] Least = ["template", "lake", "charts/leanpipe", "--set", "objectStore.bucket=lake,dapr.mode=embedded"];

    public static TheoryData<string> Cases => [.. Directory.EnumerateDirectories(Golden).Select(d => Path.GetFileName(d)!).Order(StringComparer.Ordinal)];

    /// <summary>helm lint cannot be told of a cluster's kinds, and without Dapr's the chart refuses, as it should.</summary>
    public static TheoryData<string> LintedCases => [.. Cases.Select(c => c.Data).Where(c => !Arguments(c).Contains("dapr.io/v1alpha1"))];

    [Theory, MemberData(nameof(Cases))]
    public void The_chart_gives_these_manifests_for_these_values(string name)
    {
        var found = Rendered(name);
        var expected = Path.Combine(Golden, name, "manifests.yaml");
        if (Environment.GetEnvironmentVariable("LEANPIPE_WRITE_GOLDEN") == "1") File.WriteAllText(expected, found);
        found.ShouldBe(File.ReadAllText(expected));
    }

    [Fact]
    public void Every_field_is_one_that_Kubernetes_knows_and_of_its_type()
    {
        ChartTools.Require();
        var (code, faults, errors) = ChartTools.CheckManifests([.. Directory.EnumerateFiles(Golden, "manifests.yaml", SearchOption.AllDirectories).Order(StringComparer.Ordinal)]);
        faults.ShouldBe("0 faults\n", errors);
        code.ShouldBe(0);
    }

    [Theory, MemberData(nameof(LintedCases))]
    public void Lint_finds_nothing(string name)
    {
        ChartTools.Require();
        var files = Arguments(name).SkipWhile(a => a != "-f").Take(2);
        var (code, output, errors) = ChartTools.Helm(["lint", "--strict", "charts/leanpipe", .. files, "-f", $"tests/golden/charts/{name}/values.yaml"]);
        code.ShouldBe(0, output + errors);
    }

    [Fact]
    public void The_check_of_manifests_finds_an_unknown_field_and_a_wrong_type()
    {
        ChartTools.Require();
        using var folder = new TemporaryFolder();
        var manifest = File.ReadAllText(Path.Combine(Golden, "ha", "manifests.yaml")).Replace("  replicas: 2\n", "  replicaz: 2\n", StringComparison.Ordinal).Replace("containerPort: 8080", "containerPort: http", StringComparison.Ordinal)
            .Replace("maxRetries: 10", "maxRetriez: 10", StringComparison.Ordinal);
        var file = Path.Combine(folder.Path, "manifests.yaml");
        File.WriteAllText(file, manifest);
        var (code, faults, _) = ChartTools.CheckManifests(file);
        code.ShouldBe(1);
        faults.ShouldContain("StatefulSet lake-leanpipe-gateway.spec.replicaz: is unknown");
        faults.ShouldContain("containerPort must be integer");
        faults.ShouldContain("Resiliency lake-leanpipe.spec.policies.retries.short.maxRetriez: is unknown");
    }

    [Theory]
    [InlineData("gateway.replicsa=2", "gateway: Additional property replicsa is not allowed")]
    [InlineData("nothing=1", "(root): Additional property nothing is not allowed")]
    [InlineData("tasks.threads=none", "tasks.threads: Invalid type. Expected: integer, given: string")]
    [InlineData("tasks.memory=1GB", "tasks.memory: Does not match pattern")]
    [InlineData("dapr.mode=sidecar", "dapr.mode: dapr.mode must be one of the following: \"installed\", \"embedded\"")]
    [InlineData("objectStore.endpoint=s3.example.org", "objectStore.endpoint: Does not match pattern")]
    [InlineData("gateway.service.type=Ingress", "gateway.service.type: gateway.service.type must be one of the following")]
    [InlineData("streams.telemetry.first=x", "streams.telemetry: Property name of \"first\" does not match")]
    [InlineData("streams.Telemetry=x", "streams: Property name of \"Telemetry\" does not match")]
    [InlineData("image.digests.gateway=latest", "image.digests.gateway: Does not match pattern")]
    public void A_wrong_value_is_refused_by_its_name(string value, string message)
    {
        ChartTools.Require();
        var (code, _, errors) = ChartTools.Helm([.. Least, "--set", value]);
        code.ShouldBe(1);
        errors.ShouldContain(message);
    }

    [Theory]
    [InlineData("objectStore.bucket=", "name the bucket of the lake")]
    [InlineData("dapr.mode=installed", "helm upgrade --install dapr dapr/dapr")]
    [InlineData("orchestrator.replicas=2", "the embedded sidecar is one journal with one owner")]
    [InlineData("keda.enabled=true", "keda.enabled needs dapr.mode=installed")]
    [InlineData("objectStore.folder.enabled=true", "choose one place for the lake")]
    [InlineData("objectStore.minio.enabled=true", "must name an image with its digest")]
    [InlineData("existingStreams=theirs", "existingStreams needs gateway.ports")]
    [InlineData("pipelines.hourly.a=b", "pipelines.hourly has no file pipeline.yaml")]
    [InlineData("streams.telemetry=stream: other", "holds the document of stream 'other'")]
    [InlineData("streams.telemetry=stream: telemetry\nlisten: 127.0.0.1:7001", "write 0.0.0.0:7001")]
    [InlineData("streams.telemetry.v2=stream: other", "holds the document of stream 'other'")]
    [InlineData("streams.telemetry=stream: telemetry\nlisten: here", "expected an address and a port")]
    public void Values_that_are_wrong_together_are_refused_with_what_to_do(string value, string message)
    {
        ChartTools.Require();
        var (code, _, errors) = ChartTools.Helm([.. Least, "--set", value]);
        code.ShouldBe(1);
        errors.ShouldContain(message);
    }

    [Fact]
    public void Without_any_value_everything_that_is_missing_is_said_at_once()
    {
        ChartTools.Require();
        var (code, _, errors) = ChartTools.Helm("template", "lake", "charts/leanpipe");
        code.ShouldBe(1);
        foreach (var message in new[] { "Dapr is not installed", "name Redis as host:port", "name the Secret with PostgreSQL's connection string", "name the bucket of the lake" }) errors.ShouldContain(message);
    }

    [Fact]
    public void A_pipeline_s_file_is_mounted_byte_for_byte()
    {
        ChartTools.Require();
        const string text = "  SELECT 1\r\n\t-- {{ not a template }} é\n\n";
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "a.sql");
        File.WriteAllText(file, text);
        var (_, output, _) = ChartTools.Helm([.. Least, "--set", "pipelines.a.pipeline\\.yaml=x", "--set-file", $"pipelines.a.a\\.sql={file}"]);
        output.ShouldContain($"a.sql: {System.Text.Json.JsonSerializer.Serialize(text, Plain)}");
    }

    static readonly System.Text.Json.JsonSerializerOptions Plain = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    static string[] Arguments(string name) =>
        [.. File.ReadAllLines(Path.Combine(Golden, name, "arguments.txt")).SelectMany(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries))];

    static string Rendered(string name)
    {
        ChartTools.Require();
        var (code, output, errors) = ChartTools.Helm(["template", "lake", "charts/leanpipe", .. Arguments(name), "-f", $"tests/golden/charts/{name}/values.yaml"]);
        code.ShouldBe(0, errors);
        // A generated secret is another one each time; in its place stands "generated".
        return Generated().Replace(output, "$1Z2VuZXJhdGVk");
    }

    sealed class TemporaryFolder : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("leanpipe-chart-").FullName;

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }

    [GeneratedRegex("^(  (?:token|secret-key): ).+$", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex Generated();
}
