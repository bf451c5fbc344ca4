using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using LeanPipe.Unit.Repository;

namespace LeanPipe.Unit.Charts;

/// <summary>
/// Who reaches whom in an installation whose cluster enforces network policies, from the manifests of tests/golden/charts: what the product needs, and nothing else. No cluster of these tests enforces them.
/// </summary>
public sealed class NetworkPolicyTests
{
    const string Golden = "tests/golden/charts";

    /// <summary>A port that nothing has.</summary>
    const int NoPort = 60_000;

    /// <summary>Everything else there is: no policy of the chart is theirs.</summary>
    static readonly Party[] Others =
    [
        new("outside", null, Address: "198.51.100.7"),
        new("site", null, Address: "10.1.2.3"),
        new("neighbour", new Dictionary<string, string> { ["app"] = "other" }),
        new("dapr", new Dictionary<string, string> { ["app"] = "dapr-placement-server" }, "dapr-system"),
        new("prometheus", new Dictionary<string, string> { ["app"] = "prometheus" }, "monitoring"),
    ];

    public static TheoryData<string> Cases => [.. Directory.EnumerateDirectories(Path.Combine(Tree.Root, Golden)).Select(d => Path.GetFileName(d)!).Order(StringComparer.Ordinal)
        .Where(c => Tree.Read($"{Golden}/{c}/manifests.yaml").Contains("kind: NetworkPolicy", StringComparison.Ordinal))];

    [Theory]
    [InlineData("edge", "outside", "gateway", 7001, "machines send records")]
    [InlineData("edge", "gateway", "orchestrator", 3500, "a sealed window is published through the sidecar")]
    [InlineData("edge", "orchestrator", "outside", 6443, "the API server makes the Jobs")]
    [InlineData("edge", "orchestrator", "outside", 443, "or its Service, which is in no pod's network")]
    [InlineData("edge", "test", "gateway", 8080, "helm test asks every service")]
    [InlineData("edge", "test", "orchestrator", 8080, "helm test asks every service")]
    [InlineData("edge", "test", "orchestrator", 3500, "and the sidecar")]
    [InlineData("kubernetes-1.20", "gateway", "outside", 5770, "segments go to S3, at its endpoint's port")]
    [InlineData("kubernetes-1.20", "orchestrator", "outside", 5770, "manifests and tables go to S3")]
    [InlineData("kubernetes-1.20", "task", "outside", 5770, "a step runner reads and writes S3")]
    [InlineData("kubernetes-1.20", "test", "outside", 5770, "helm test probes S3")]
    [InlineData("ha", "task", "outside", 443, "S3 over https")]
    [InlineData("ha", "orchestrator", "dapr", 50006, "its sidecar and the control plane: scheduler, placement, operator, sentry")]
    [InlineData("ha", "gateway", "dapr", 50001, "its sidecar and the control plane")]
    [InlineData("ha", "gateway", "neighbour", 6379, "its sidecar publishes to Redis")]
    [InlineData("ha", "orchestrator", "neighbour", 6379, "its sidecar is told by Redis")]
    [InlineData("ha", "orchestrator", "outside", 5432, "its sidecar keeps workflows in PostgreSQL")]
    [InlineData("ha", "orchestrator", "orchestrator", 50002, "sidecars of two replicas hand workflows' turns to one another")]
    [InlineData("redis", "orchestrator", "neighbour", 6379, "workflows in Redis")]
    [InlineData("warm", "orchestrator", "warm", 8090, "tasks are given to warm step runners")]
    [InlineData("everything", "warm", "outside", 9000, "a warm step runner reads and writes S3")]
    [InlineData("everything", "site", "gateway", 7001, "machines of the site alone")]
    [InlineData("everything", "prometheus", "gateway", 8080, "metrics")]
    [InlineData("everything", "prometheus", "orchestrator", 8080, "metrics")]
    [InlineData("everything", "prometheus", "orchestrator", 9090, "the embedded sidecar's metrics")]
    [InlineData("everything", "dapr", "orchestrator", 8080, "whoever networkPolicy.apiFrom names")]
    [InlineData("everything", "task", "site", 5432, "what networkPolicy.extraEgress adds: a step's load, say")]
    [InlineData("minio", "gateway", "minio", 9000, "segments go to the MinIO beside it")]
    [InlineData("minio", "orchestrator", "minio", 9000, "so do manifests")]
    [InlineData("minio", "task", "minio", 9000, "and chunks")]
    [InlineData("minio", "test", "minio", 9000, "and the probe's")]
    public void What_the_product_needs_is_let_through(string name, string from, string to, int port, string why)
    {
        var (parties, policies) = Read(name);
        policies.Allow(parties.Single(p => p.Name == from), parties.Single(p => p.Name == to), (port, "TCP")).ShouldBeTrue(why);
    }

    [Theory, MemberData(nameof(Cases))]
    public void Every_pod_may_look_up_names(string name)
    {
        var (parties, policies) = Read(name);
        foreach (var pod in parties.Except(Others))
            foreach (var protocol in new[] { "UDP", "TCP" })
                policies.Allow(pod, new("dns", new Dictionary<string, string>(), "kube-system"), (53, protocol)).ShouldBeTrue($"{pod.Name} {protocol}");
    }

    /// <summary>All that is let through, of all that could be tried: the file beside the manifests is read by whoever changes a policy.</summary>
    [Theory, MemberData(nameof(Cases))]
    public void And_nothing_else_is_let_through(string name)
    {
        var flows = Flows(name);
        var expected = Path.Combine(Tree.Root, Golden, name, "flows.txt");
        if (Environment.GetEnvironmentVariable("LEANPIPE_WRITE_GOLDEN") == "1") File.WriteAllText(expected, flows);
        flows.ShouldBe(File.ReadAllText(expected));
    }

    [Theory, MemberData(nameof(Cases))]
    public void Nobody_reaches_a_task(string name)
    {
        var (parties, policies) = Read(name);
        var task = parties.Single(p => p.Name == "task");
        foreach (var from in parties)
            foreach (var port in policies.Ports.Append((NoPort, "TCP")))
                policies.Allow(from, task, port).ShouldBeFalse($"{from.Name} {port}");
    }

    static string Flows(string name)
    {
        var (parties, policies) = Read(name);
        var ports = policies.Ports.Append((Port: NoPort, Protocol: "TCP")).Distinct().Order().ToArray();
        var text = new StringBuilder();
        foreach (var sender in parties)
        {
            var reached = from receiver in parties
                          where !Others.Contains(sender) || !Others.Contains(receiver)
                          let open = ports.Where(p => policies.Allow(sender, receiver, p)).ToArray()
                          where open.Length > 0
                          group receiver.Name by open.Length == ports.Length ? "every port" : string.Join(' ', open.Select(p => p.Protocol == "TCP" ? $"{p.Port}" : $"{p.Port}/{p.Protocol}"));
            foreach (var group in reached) text.Append(CultureInfo.InvariantCulture, $"{sender.Name} -> {string.Join(", ", group)}: {group.Key}\n");
        }
        return text.ToString();
    }

    static (Party[] Parties, NetworkPolicies Policies) Read(string name)
    {
        var manifests = Yaml.Documents(Tree.Read($"{Golden}/{name}/manifests.yaml")).ToArray();
        return ([.. manifests.SelectMany(Pods).DistinctBy(p => p.Name), .. Others], new(manifests));
    }

    /// <summary>The pods that a manifest makes, or lets the orchestrator make.</summary>
    static IEnumerable<Party> Pods(JsonNode manifest)
    {
        var pod = manifest["kind"]!.GetValue<string>() switch
        {
            "Deployment" or "StatefulSet" => manifest["spec"]!["template"],
            "Pod" => manifest,
            "ConfigMap" when manifest["data"]?["job.json"] is { } job => JsonNode.Parse(job.GetValue<string>())!["spec"]!["template"],
            _ => null,
        };
        if (pod is null) yield break;
        var labels = pod["metadata"]!["labels"].Texts();
        yield return new(labels["app.kubernetes.io/component"], labels);
    }
}
