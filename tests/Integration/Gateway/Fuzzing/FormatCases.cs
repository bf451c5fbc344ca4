using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using LeanPipe.Contracts;
using LeanPipe.Documents;

namespace LeanPipe.Integration.Gateway.Fuzzing;

/// <summary>A decoder with its schema, and how a sender writes a frame for it that is mostly right.</summary>
sealed record DecoderCase(string Name, StreamDefinition Stream, Func<Random, byte[]> Frame);

/// <summary>A framing, and how a sender wraps a frame in it.</summary>
/// <param name="CountsFrames">Whether a frame's bytes cannot be taken for the framing's own, so that as many frames arrive as were sent.</param>
sealed record FramingCase(string Name, FramingDefinition Framing, Func<byte[], byte[]> Wrap, bool CountsFrames);

/// <summary>Every framing and every decoder.</summary>
static class FormatCases
{
    public const int MaxFrame = 200;
    public const int FixedSize = 24;

    public static readonly IReadOnlyList<FramingCase> Framings = [
        new("newline", new NewlineFramingDefinition(), f => [.. f, (byte)'\n'], false),
        new("nul", new DelimiterFramingDefinition(0), f => [.. f, 0], false),
        new("1", new LengthPrefixFramingDefinition(1), f => [(byte)f.Length, .. f], true),
        new("2 little", new LengthPrefixFramingDefinition(2, BigEndian: false), f => [(byte)f.Length, (byte)(f.Length >> 8), .. f], true),
        new("4 itself counted", new LengthPrefixFramingDefinition(4, IncludesHeader: true), f => [.. Big(f.Length + 4), .. f], true),
        new("varint", new VarintFramingDefinition(), f => f.Length < 128 ? [(byte)f.Length, .. f] : [(byte)(f.Length | 0x80), (byte)(f.Length >> 7), .. f], true),
        new("octets", new OctetCountingFramingDefinition(), f => f.Length == 0 ? [] : [.. Encoding.ASCII.GetBytes($"{f.Length} "), .. f], true),
        new("fixed", new FixedFramingDefinition(FixedSize), f => f, false),
    ];

    public static readonly IReadOnlyList<DecoderCase> Decoders = [
        new("json", Stream("json", "{ id: { type: int64, min: 0 }, kind: { enum: [a, b] }, value: { union: [float64, string] }, name?: { type: string?, max_length: 9 }, cost?: { type: decimal, precision: 9, scale: 2 }, list?: { list: int64 }, t: timestamp }"),
            r => Text($$"""{"id":{{r.Next(100)}},"kind":"{{Pick(r, "a", "b", "b", "c")}}","value":{{Pick(r, "1.5", "\"x\"", "-0", "1e3", "true")}},"name":{{Pick(r, "null", "\"\\u00e9\"", "\"ü\"", "\"\\ud83d\"")}},"list":[{{Pick(r, "", "1", "1,2", "1.5")}}],"t":"{{Time(r)}}"}""")),
        new("json rewritten", Stream("json", "{ id: { type: int64, aliases: [number] }, kind: { enum: [a, b], default: a }, inner?: { record: { x: { type: int64, default: 1 } }, extra: keep }, at: timestamp, t: timestamp }", "extra: keep,", "stamp: { at: received_at }"),
            r => Text($$"""{ "{{Pick(r, "id", "number", "id", "nr")}}" :{{r.Next(100)}}, {{Pick(r, "\"kind\":\"b\",", "\"more\":[{}, 1 ],", "", "\"extra\":\"x\",")}}"inner":{{Pick(r, "{}", "{\"x\":2}", "{\"y\":{}}", "[]")}},"t":"{{Time(r)}}"}""")),
        new("csv", Stream("{ csv: { columns: [id, name, value, t], constants: { kind: a } } }", "{ id: int64, name: string?, value: float64, kind: { enum: [a] }, t: { type: timestamp, format: 'yyyy-MM-dd HH:mm:ss' } }"),
            r => Text($"{r.Next(100)},{Pick(r, "", "x", "\"a,\"\"b\"\"\"", "\"open")},{Pick(r, "1", "-1.5e3", "", "1,5")},2026-01-01 10:{r.Next(60):D2}:00")),
        new("key_value", Stream("key_value", "{ id: { type: int64, aliases: [nr] }, name: string, ok?: bool, t: timestamp }", "extra: keep,"),
            r => Text($"{Pick(r, "id", "nr", "nr", "x")}={r.Next(100)} name={Pick(r, "a", "\"a b\"", "\"\\u00e9\\\"\"", "\"")} {Pick(r, "ok", "ok=false", "", "ok=yes")} t={Time(r)} {Pick(r, "more=1", "flag", "")}")),
        new("binary", Stream($"{{ binary: {{ size: {FixedSize}, fields: {{ id: {{ type: u32 }}, t: {{ type: u32 }}, value: {{ type: f64 }}, level: {{ type: i16, scale: 0.01, byte_order: little }}, ok: {{ type: bool }}, name: {{ type: text, length: 3 }}, rest: {{ type: bytes, length: 2 }} }} }} }}",
            "{ id: int64, t: { timestamp: seconds }, value: float64, level: { type: decimal, precision: 9, scale: 2 }, ok: bool, name: string, rest: bytes }"), Binary),
        new("regex", Stream("{ regex: { pattern: '^(?<t>\\S+) (?<level>[A-Z]+) (?<n>[0-9]+)?(?<text>.*)$' } }", "{ t: timestamp, level: { enum: [INFO, WARN] }, n?: int64, text: string }"),
            r => Text($"{Time(r)} {Pick(r, "INFO", "WARN", "info")} {Pick(r, "5", "", "99999999999999999999")}text {Pick(r, "é", "x", "")}")),
        new("syslog", Stream("syslog", "{ facility: int64, severity: int64, timestamp: timestamp, hostname: string, app_name?: string, proc_id?: string, structured_data?: string, message: string }", eventTime: "timestamp"),
            r => Text(r.Next(2) == 0
                ? $"<{r.Next(200)}>1 {Time(r)} host app {Pick(r, "-", "42")} - {Pick(r, "-", "[a@1 b=\"c\\\"]\"]", "[a")} {Pick(r, "text", "\uFEFFtext", "")}"
                : $"<{r.Next(200)}>Jan {r.Next(1, 33),2} 10:{r.Next(70):D2}:00 host {Pick(r, "app: text", "app[7]: text", "text", "app[7 text")}")),
        new("raw", Stream("{ raw: { field: payload } }", "{ payload: { type: bytes, max_length: 150 }, t: timestamp }", "", "stamp: { t: received_at }"),
            r =>
            {
                var frame = new byte[r.Next(1, 180)];
                r.NextBytes(frame);
                return frame;
            }),
    ];

    public static StreamDefinition Of(DecoderCase decoder, FramingCase framing) => decoder.Stream with { Framing = framing.Framing };

    /// <summary>What every line of a segment must be: names of the schema, and all that has a default or a stamp.</summary>
    public static RecordType Closed(RecordType schema)
    {
        var fields = schema.Fields.Select(f => f with
        {
            Required = f.Required || f.Default is not null,
            Default = null,
            Aliases = null,
            Type = f.Type is RecordType inner ? Closed(inner) : f.Type,
        });
        if (schema.Extra == ExtraFields.Keep) fields = fields.Append(new(RecordType.ExtraColumn, new RecordType([], ExtraFields.Ignore), Required: false));
        return new([.. fields], ExtraFields.Reject);
    }

    static StreamDefinition Stream(string decoder, string fields, string extra = "", string rest = "", string eventTime = "t") => StreamDocument.Parse("fuzz.yaml", $"""
        stream: fuzz
        listen: 127.0.0.1:0
        decoder: {decoder}
        schema: {"{"} {extra} fields: {fields} {"}"}
        event_time: {eventTime}
        limits: {"{"} max_frame: {MaxFrame}B, max_ahead: 36500d {"}"}
        {rest}
        """).Require();

    static byte[] Binary(Random random)
    {
        var frame = new byte[FixedSize];
        BinaryPrimitives.WriteInt32BigEndian(frame, random.Next());
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(4), 1_767_261_600 + random.Next(3600));
        BinaryPrimitives.WriteDoubleBigEndian(frame.AsSpan(8), random.Next(20) == 0 ? double.NaN : random.NextDouble());
        BinaryPrimitives.WriteInt16LittleEndian(frame.AsSpan(16), (short)random.Next());
        frame[18] = (byte)random.Next(random.Next(20) == 0 ? 3 : 2);
        Text(Pick(random, "abc", "a", "é")).CopyTo(frame.AsSpan(19));
        return random.Next(20) == 0 ? frame[..random.Next(FixedSize)] : frame;
    }

    static byte[] Big(int length)
    {
        var head = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(head, length);
        return head;
    }

    static string Time(Random random) => new DateTime(2026, 1, 1, 10, 0, 0, DateTimeKind.Utc).AddSeconds(random.Next(7200)).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    static T Pick<T>(Random random, params T[] values) => values[random.Next(values.Length)];

    static byte[] Text(string text) => Encoding.UTF8.GetBytes(text);
}
