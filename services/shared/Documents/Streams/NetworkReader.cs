using System.Net;
using System.Net.Sockets;
using LeanPipe.Contracts;
using LeanPipe.Documents.Reading;
using LeanPipe.Documents.Yaml;

namespace LeanPipe.Documents;

/// <summary>The keys of a stream's document that say who may connect and how.</summary>
static class NetworkReader
{
    static readonly Dictionary<string, bool> ProxyProtocols = new() { ["none"] = false, ["required"] = true };

    public static NetworkDefinition Read(MapReader map, RecordType? schema, ErrorList errors)
    {
        var tls = Tls(map.Map("tls", "tls"), schema, errors);
        var proxyProtocol = map.Choice("proxy_protocol", ProxyProtocols) ?? false;
        var proxiesAt = map.Take("proxies")?.At;
        if (proxiesAt is { } at && !proxyProtocol) errors.Add(at, "'proxies' says whose PROXY headers are believed; expected 'proxy_protocol: required' with it.");
        return new()
        {
            Tls = tls,
            ProxyProtocol = proxyProtocol,
            Allow = Networks(map, "allow", errors),
            Proxies = Networks(map, "proxies", errors),
            KeepAlive = KeepAlive(map.Map("keepalive", "keepalive"), errors),
        };
    }

    static TlsDefinition? Tls(MapReader? map, RecordType? schema, ErrorList errors)
    {
        if (map is null) return null;
        var certificate = PathOf(map.Text("certificate", required: true), errors);
        var key = PathOf(map.Text("key", required: true), errors);
        var ca = PathOf(map.Text("client_ca"), errors);
        var requires = map.Flag("require_client_certificate") ?? false;
        var peerName = map.Text("peer_name");
        map.Finish();
        if (requires && ca is null) errors.Add(map.At, "'require_client_certificate' needs 'client_ca', the file of the authorities whose client certificates are accepted.");
        if (peerName is not null)
        {
            if (!requires) errors.Add(peerName.At, "'peer_name' takes the name from the client's certificate; expected 'require_client_certificate: true' with it.");
            var field = schema?.Fields.FirstOrDefault(f => f.Name == peerName.Text);
            if (schema is not null && field is null)
                errors.Add(peerName.At, $"'peer_name' is '{peerName.Text}', which is no field of the schema; {Suggestion.For(peerName.Text, schema.Fields.Where(f => f.Type is StringType).Select(f => f.Name))}");
            else if (field is not null && field.Type is not StringType { MinLength: 0, MaxLength: int.MaxValue, Pattern: null })
                errors.Add(peerName.At, $"'peer_name' is '{peerName.Text}'; expected a field of type string without rules, for the gateway writes what the certificate says.");
        }
        return certificate is null || key is null ? null : new(certificate, key, ca, requires, peerName?.Text);
    }

    /// <summary>Paths stand relative to the document's folder.</summary>
    static string? PathOf(TextNode? text, ErrorList errors) =>
        text is null ? null : Path.Combine(Path.GetDirectoryName(errors.File) ?? "", text.Text);

    static List<IPNetwork> Networks(MapReader map, string key, ErrorList errors)
    {
        var networks = new List<IPNetwork>();
        foreach (var text in map.Texts(key) ?? [])
        {
            if (IPNetwork.TryParse(text.Text, out var network)) networks.Add(network);
            else if (IPAddress.TryParse(text.Text, out var address)) networks.Add(new(address, address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128));
            else errors.Add(text.At, $"'{text.Text}' in '{key}' is no network; expected one such as 10.0.0.0/8, 2001:db8::/32 or a single address.");
        }
        return networks;
    }

    static KeepAliveDefinition KeepAlive(MapReader? map, ErrorList errors)
    {
        var keepAlive = new KeepAliveDefinition();
        if (map is null) return keepAlive;
        keepAlive = new()
        {
            After = Seconds(map, "after", errors) ?? keepAlive.After,
            Every = Seconds(map, "every", errors) ?? keepAlive.Every,
            Probes = (int)(map.Integer("probes", 1, 100) ?? keepAlive.Probes),
        };
        map.Finish();
        return keepAlive;
    }

    static TimeSpan? Seconds(MapReader map, string key, ErrorList errors)
    {
        if (map.Duration(key, TimeSpan.FromHours(8)) is not { } duration) return null;
        if (duration.Ticks % TimeSpan.TicksPerSecond == 0) return duration;
        errors.Add(map.Take(key)!.At, $"'{key}' is not whole seconds, which is what TCP counts keepalive in.");
        return null;
    }
}
