using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using LeanPipe.Unit.Repository;

namespace LeanPipe.Unit.Charts;

/// <summary>Whoever sends or is sent to: a pod of the chart's namespace, one of another, or an address outside.</summary>
/// <param name="Labels">Of a pod; null of an address outside.</param>
/// <param name="Space">Another namespace's name; null is the chart's own, or none.</param>
sealed record Party(string Name, IReadOnlyDictionary<string, string>? Labels, string? Space = null, string? Address = null);

/// <summary>What network policies let through, by the rules of Kubernetes: a pod that no policy selects is open, one that is selected gets what any of its policies allows.</summary>
sealed class NetworkPolicies(IEnumerable<JsonNode> manifests)
{
    readonly JsonNode[] _policies = [.. manifests.Where(m => m["kind"]!.GetValue<string>() == "NetworkPolicy").Select(m => m["spec"]!)];

    /// <summary>Every port that a rule names.</summary>
    public IEnumerable<(int Port, string Protocol)> Ports => _policies.SelectMany(p => p["ingress"].Items().Concat(p["egress"].Items())).SelectMany(r => r["ports"].Items()).Select(PortOf);

    public bool Allow(Party from, Party to, (int Port, string Protocol) port) => Lets("Egress", from, to, port) && Lets("Ingress", to, from, port);

    bool Lets(string direction, Party of, Party other, (int, string) port)
    {
        if (of.Labels is null || of.Space is not null) return true;
        var own = _policies.Where(p => p["policyTypes"].Items().Any(t => t.GetValue<string>() == direction) && Selects(p["podSelector"], of.Labels)).ToArray();
        var (rules, peers) = direction == "Egress" ? ("egress", "to") : ("ingress", "from");
        return own.Length == 0 || own.SelectMany(p => p[rules].Items()).Any(r =>
            (!r["ports"].Items().Any() || r["ports"].Items().Any(p => PortOf(p) == port)) && (!r[peers].Items().Any() || r[peers].Items().Any(p => Names(p, other))));
    }

    static bool Names(JsonNode peer, Party party)
    {
        if (peer["ipBlock"] is { } block) return party.Address is { } address && IPNetwork.Parse(block["cidr"]!.GetValue<string>()).Contains(IPAddress.Parse(address));
        if (party.Labels is null) return false;
        var space = peer["namespaceSelector"] is { } spaces
            ? Selects(spaces, new Dictionary<string, string> { ["kubernetes.io/metadata.name"] = party.Space ?? "own" })
            : party.Space is null;
        return space && (peer["podSelector"] is not { } pods || Selects(pods, party.Labels));
    }

    static bool Selects(JsonNode? selector, IReadOnlyDictionary<string, string> labels)
    {
        selector?["matchExpressions"].ShouldBeNull("nothing here knows them");
        return (selector?["matchLabels"]).Texts().All(l => labels.TryGetValue(l.Key, out var value) && value == l.Value);
    }

    static (int Port, string Protocol) PortOf(JsonNode port) => (int.Parse(port["port"]!.GetValue<string>(), CultureInfo.InvariantCulture), port["protocol"]?.GetValue<string>() ?? "TCP");
}
