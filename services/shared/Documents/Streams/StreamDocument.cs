using System.Net;
using LeanPipe.Contracts;
using LeanPipe.Documents.Reading;
using LeanPipe.Documents.Yaml;

namespace LeanPipe.Documents;

/// <summary>A stream's document. The format is docs/specs/stream-document.md.</summary>
public static class StreamDocument
{
    static readonly Dictionary<string, AckMode> Acks = new() { ["none"] = AckMode.None, ["durable"] = AckMode.Durable, ["stored"] = AckMode.Stored };

    static readonly Dictionary<string, ValidationMode> Validations = new() { ["before"] = ValidationMode.Before, ["after"] = ValidationMode.After };

    static readonly Dictionary<string, Compatibility> Compatibilities = new()
    {
        ["backward"] = Compatibility.Backward,
        ["forward"] = Compatibility.Forward,
        ["full"] = Compatibility.Full,
        ["none"] = Compatibility.None,
    };

    public static DocumentResult<StreamDefinition> Load(string path) => Load(path, out _, out _);

    /// <param name="root">The document itself, for errors that are found later; null when it is no YAML.</param>
    internal static DocumentResult<StreamDefinition> Load(string path, out MapNode? root, out string text)
    {
        root = null;
        return Files.Read(path, out text) is { } missing ? new(null, [missing]) : Parse(path, text, out root);
    }

    /// <param name="file">The name that errors carry.</param>
    public static DocumentResult<StreamDefinition> Parse(string file, string yaml) => Parse(file, yaml, out _);

    static DocumentResult<StreamDefinition> Parse(string file, string yaml, out MapNode? root)
    {
        var errors = new ErrorList(file);
        root = YamlReader.ReadMap(yaml, errors);
        return errors.Result(root is not null ? Read(new(root, "stream", errors), errors) : null);
    }

    static StreamDefinition? Read(MapReader map, ErrorList errors)
    {
        var name = map.Name<StreamName>("stream", required: true);
        var listen = Listen(map, errors);
        var framing = map.Take("framing");
        var decoderNode = map.Take("decoder");
        var schema = Schema(map, errors);
        var network = NetworkReader.Read(map, schema, errors);
        var stamps = StampReader.Read(map.Take("stamp"), schema, errors);
        if (network.Tls?.PeerName is { } peerName) stamps[peerName] = StampSource.ClientName;
        var decoder = new DecoderReader(schema, [.. stamps.Keys], errors).Read(decoderNode);
        var eventTime = EventTime(map, schema, errors);
        var definition = new StreamDefinition
        {
            Name = name ?? new("invalid"),
            Listen = listen ?? "",
            Decoder = decoder,
            Schema = schema ?? new([]),
            Stamps = stamps,
            EventTime = eventTime ?? "",
            Compatibility = map.Choice("compatibility", Compatibilities) ?? Compatibility.Backward,
            Ack = map.Choice("ack", Acks) ?? AckMode.None,
            Validation = map.Choice("validate", Validations) ?? ValidationMode.Before,
            Limits = Limits(map),
            Network = network,
        };
        definition = definition with
        {
            Framing = FramingReader.Read(framing, definition.Limits.MaxFrameBytes, errors),
            Window = Window(map, errors) ?? definition.Window,
            Lateness = map.Duration("lateness", TimeSpan.FromDays(30)) ?? definition.Lateness,
            SealWhenIdleFor = map.Duration("seal_when_idle_for", TimeSpan.FromDays(30)) ?? definition.SealWhenIdleFor,
        };
        map.Finish();
        return definition;
    }

    static string? Listen(MapReader map, ErrorList errors)
    {
        if (map.Text("listen", required: true) is not { } text) return null;
        var colon = text.Text.LastIndexOf(':');
        if (colon > 0 && int.TryParse(text.Text.AsSpan(colon + 1), out var port) && port is >= 0 and <= 65535 && IPAddress.TryParse(text.Text.AsSpan(0, colon), out _)) return text.Text;
        errors.Add(text.At, $"'listen' is '{text.Text}'; expected an address and a port such as 0.0.0.0:7001 or [::]:7001.");
        return null;
    }

    static WindowSize? Window(MapReader map, ErrorList errors)
    {
        if (map.Text("window") is not { } text) return null;
        if (Quantities.TryDuration(text.Text, out var length) && WindowSize.IsValid(length)) return new(length);
        errors.Add(text.At, $"'window' is '{text.Text}'; expected 1d, 1h or minutes that divide an hour (1m, 5m, 15m, …).");
        return null;
    }

    static RecordType? Schema(MapReader map, ErrorList errors)
    {
        if (map.Require("schema") is not { } node || map.AsMap(node, "schema", "schema") is not { } schema) return null;
        var fields = schema.Require("fields");
        var extra = schema.Choice("extra", TypeReader.Extras) ?? ExtraFields.Reject;
        schema.Finish();
        return fields is null ? null : TypeReader.Record(fields, extra, errors);
    }

    static string? EventTime(MapReader map, RecordType? schema, ErrorList errors)
    {
        if (map.Text("event_time", required: true) is not { } text || schema is null) return null;
        var field = schema.Fields.FirstOrDefault(f => f.Name == text.Text);
        if (field is null)
            errors.Add(text.At, $"'event_time' is '{text.Text}', which is no field of the schema; {Suggestion.For(text.Text, schema.Fields.Where(f => f.Type is TimestampType).Select(f => f.Name))}");
        else if (field.Type is not TimestampType)
            errors.Add(text.At, $"'event_time' is '{text.Text}', which is no timestamp; expected a field of type timestamp.");
        else if (!field.Required || field.Nullable)
            errors.Add(text.At, $"'event_time' is '{text.Text}', which may be missing or null; expected a required field, for it places the record in a window.");
        else return text.Text;
        return null;
    }

    static StreamLimits Limits(MapReader map)
    {
        var limits = new StreamLimits();
        if (map.Map("limits", "limits") is not { } reader) return limits;
        limits = new()
        {
            MaxFrameBytes = (int)(reader.Size("max_frame", 16, 64 << 20) ?? limits.MaxFrameBytes),
            CutAtBytes = reader.Size("cut_at", 1024, 1L << 40) ?? limits.CutAtBytes,
            CutAfter = reader.Duration("cut_after", TimeSpan.FromDays(1)) ?? limits.CutAfter,
            MaxUnsyncedBytes = reader.Size("max_unsynced", 1024, 1L << 30) ?? limits.MaxUnsyncedBytes,
            MaxConnections = (int)(reader.Integer("max_connections", 1, 1_000_000) ?? limits.MaxConnections),
            MaxConnectionsPerIp = (int?)reader.Integer("max_connections_per_ip", 1, 1_000_000),
            IdleTimeout = reader.Duration("idle_timeout", TimeSpan.FromDays(30)),
            MaxFrameTime = reader.Duration("max_frame_time", TimeSpan.FromDays(1)) ?? limits.MaxFrameTime,
            MaxUnreadTime = reader.Duration("max_unread_time", TimeSpan.FromDays(1)) ?? limits.MaxUnreadTime,
            MaxAhead = reader.Duration("max_ahead", TimeSpan.FromDays(36500)) ?? limits.MaxAhead,
            MaxBehind = reader.Duration("max_behind", TimeSpan.FromDays(36500)) ?? limits.MaxBehind,
            MaxOpenWindows = (int)(reader.Integer("max_open_windows", 1, 1_000_000) ?? limits.MaxOpenWindows),
        };
        reader.Finish();
        return limits;
    }
}
