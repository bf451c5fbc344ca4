using System.Buffers;
using System.Text;
using LeanPipe.Contracts;
using LeanPipe.Documents;
using LeanPipe.Gateway.Decoding;
using LeanPipe.Gateway.Validation;

namespace LeanPipe.Unit.Gateway;

/// <summary>Every decoder but CSV: what a frame becomes, and what refuses it.</summary>
public sealed class DecoderTests
{
    static readonly DateTimeOffset Now = new(2026, 1, 3, 0, 0, 0, TimeSpan.Zero);

    static string Decode(string decoder, string fields, byte[] frame, string extra = "reject")
    {
        var stream = StreamDocument.Parse("s.yaml", $"""
            stream: s
            listen: 127.0.0.1:0
            decoder: {decoder}
            schema: {"{"} extra: {extra}, fields: {fields} {"}"}
            stamp: {"{"} at: received_at {"}"}
            event_time: at
            """).Require();
        var opened = CellDecoder.Of(stream).ShouldNotBeNull();
        var (verdict, target) = (new Verdict { NowTicks = Now.UtcTicks }, new ArrayBufferWriter<byte>());
        if (!opened.TryDecode(frame, Now, target, verdict)) return $"{verdict.Code.Text()} {verdict.Field(frame)}@{verdict.Offset}";
        var validator = new RecordValidator(stream.Schema, stream.EventTime, canonicalTimestamps: true, stream.Stamps);
        return validator.Accepts(target.WrittenSpan, verdict)
            ? Encoding.UTF8.GetString(target.WrittenSpan)
            : $"{verdict.Code.Text()} {verdict.Field(target.WrittenSpan)}@{opened.OffsetInFrame(verdict)}";
    }

    [Theory]
    [InlineData("n=5 s=abc", """{"n":5,"s":"abc"}""")]
    [InlineData("  s=\"a b\"   n=-1  ", """{"s":"a b","n":-1}""")]
    [InlineData("n=1 s=\"q\\\"\\\\\\n\\u00e9\\ud83d\\ude00\"", """{"n":1,"s":"q\"\\\né\uD83D\uDE00"}""")]
    [InlineData("n=1 s=a=b&c== ok", """{"n":1,"s":"a=b&c==","ok":true}""")]
    [InlineData("n=1 s= ok=false", """{"n":1,"s":"","ok":false}""")]
    [InlineData("count=7 s=x", """{"n":7,"s":"x"}""")]
    [InlineData("n=x s=y", "wrong_type n@0")]
    [InlineData("n=1 s=x n=2", "duplicate_field n@8")]
    [InlineData("s=x", "missing_field n@0")]
    [InlineData("n=1 s=x m=2", "unknown_field m@8")]
    [InlineData("n=1 s", "wrong_type s@4")]
    [InlineData("n=1 =x", "bad_key_value @4")]
    [InlineData("n=1 s=\"x", "bad_key_value @6")]
    [InlineData("n=1 s=\"x\"y", "bad_key_value @9")]
    [InlineData("n=1 s=x\"y", "bad_key_value @7")]
    [InlineData("n=1 s=\"\\x\"", "bad_key_value @6")]
    [InlineData("n=1 s=\"\\ud800\"", "bad_utf8 @6")]
    [InlineData("n=1 s=\"\\u41\0\0\"", "bad_key_value @6")]
    public void Pairs_become_fields_by_their_keys(string frame, string expected) =>
        Decode("key_value", "{ n: { type: int64, aliases: [count] }, s: string, ok?: bool, at: timestamp }", Encoding.UTF8.GetBytes(frame)).ShouldBe(expected);

    [Fact]
    public void Pairs_that_the_schema_does_not_name_stay_as_texts_when_it_says_so() =>
        Decode("{ key_value: { delimiter: ';' } }", "{ n: int64, at: timestamp }", "n=1;other=2;flag;name=\"x;y\""u8.ToArray(), "ignore").ShouldBe("""{"n":1,"other":"2","flag":true,"name":"x;y"}""");

    [Theory]
    [InlineData("v=on", """{"v":"on"}""")]
    [InlineData("v=5", """{"v":5}""")]
    [InlineData("v=50", """{"v":"50"}""")]
    [InlineData("v=abc", """{"v":"abc"}""")]
    [InlineData("v=\"\"", """{"v":""}""")]
    [InlineData("v=abcd", "no_union_member v@0")]
    public void The_first_member_of_a_union_that_accepts_a_text_by_all_of_its_rules_takes_it(string frame, string expected) =>
        Decode("key_value", "{ v: { union: [{ enum: [on, off] }, { type: int64, max: 10 }, { type: string, max_length: 3 }] }, at: timestamp }", Encoding.UTF8.GetBytes(frame)).ShouldBe(expected);

    [Theory]
    [InlineData("010203FF0700D2FB4100000041424300DEAD", """{"id":16909311,"flag":0}""", "wrong_type flag@4")]
    [InlineData("010203FF01FB2E42480000414243000000DEAD", null, "wrong_size @18")]
    [InlineData("010203FF01FB2E4248000041424300DEAD", null, "wrong_size @17")]
    [InlineData("010203FF01FB2E42480000414243200DEAD0", """{"id":16909311,"flag":true,"temperature":-12.34,"level":50,"name":"ABC \r","blob":"6tA="}""", null)]
    [InlineData("010203FF01FB2E4248000041420000000DEA", """{"id":16909311,"flag":true,"temperature":-12.34,"level":50,"name":"AB","blob":"Deo="}""", null)]
    [InlineData("010203FF01FB2E7FC0000041420000000DEA", null, "out_of_range level@7")]
    [InlineData("010203FF01FB2E42480000FF420000000DEA", null, "bad_utf8 name@11")]
    public void A_layout_is_read_field_by_field(string hex, string? json, string? fault) =>
        Decode(
            "{ binary: { fields: { id: { type: u32 }, flag: { type: bool }, temperature: { at: 5, type: i16, scale: 0.01 }, level: { type: f32 }, name: { type: text, length: 5 }, blob: { at: 16, type: bytes, length: 2 } } } }",
            "{ id: int64, flag: bool, temperature: float64, level: float64, name: string, blob: bytes, at: timestamp }", Convert.FromHexString(hex)).ShouldBe(fault ?? json);

    [Theory]
    [InlineData("i8", "FF", "-1")]
    [InlineData("u8", "FF", "255")]
    [InlineData("u16", "0102", "513")]
    [InlineData("i32", "FEFFFFFF", "-2")]
    [InlineData("i64", "FFFFFFFFFFFFFF7F", "9223372036854775807")]
    [InlineData("u64", "FFFFFFFFFFFFFFFF", "18446744073709551615")]
    [InlineData("f64", "9A9999999999B93F", "0.1")]
    [InlineData("f64", "FCA9F1D24D62503F", "0.001")]
    [InlineData("f64", "006667D03DEBEF43", "18400000000000000000")]
    [InlineData("f64", "03EB2AF2548B1143", "1234567890123456.8")]
    [InlineData("f64", "4850651EE44E43C4", "-712345678901234600000")]
    public void Numbers_of_the_other_byte_order_keep_every_digit(string type, string hex, string number) =>
        Decode($"{{ binary: {{ byte_order: little, fields: {{ v: {{ type: {type} }} }} }} }}", "{ v: { type: decimal, precision: 38, scale: 3 }, at: timestamp }", Convert.FromHexString(hex)).ShouldBe($$"""{"v":"{{number}}"}""");

    [Theory]
    [InlineData("{ csv: { columns: [v, w] } }", "1.5E-2,1e3", """{"v":"0.015","w":1e3}""")]
    [InlineData("key_value", "v=15e+1 w=-2.5e-3", """{"v":"150","w":-2.5e-3}""")]
    [InlineData("{ regex: { pattern: '^(?<v>\\S+) (?<w>\\S+)$' } }", "-0.00120e3 1", """{"v":"-1.2","w":1}""")]
    [InlineData("key_value", "v=123456789012345678e-4 w=0", """{"v":"12345678901234.5678","w":0}""")]
    [InlineData("key_value", "v=0e-99 w=0", """{"v":"0","w":0}""")]
    [InlineData("key_value", "v=0.1e1 w=0", """{"v":"1","w":0}""")]
    [InlineData("key_value", "v=10.5e1 w=0", """{"v":"105","w":0}""")]
    [InlineData("key_value", "v=1e-5 w=0", "too_precise v@0")]
    [InlineData("key_value", "v=1e14 w=0", "out_of_range v@0")]
    [InlineData("key_value", "v=1e99 w=0", "out_of_range v@0")]
    [InlineData("key_value", "v=1e-99 w=0", "too_precise v@0")]
    [InlineData("key_value", "v=1e w=0", "wrong_type v@0")]
    [InlineData("key_value", "v=0 w=1e999", "out_of_range w@4")]
    public void A_number_in_a_text_may_have_an_exponent_as_in_JSON(string decoder, string frame, string expected) =>
        Decode(decoder, "{ v: { type: decimal, precision: 18, scale: 4 }, w: float64, at: timestamp }", Encoding.ASCII.GetBytes(frame)).ShouldBe(expected);

    [Theory]
    [InlineData("GET /a 200 5ms", """{"path":"/a","code":200}""")]
    [InlineData("GET /ü 404", """{"path":"/ü","code":404}""")]
    [InlineData("GET /ü x", "no_match @0")]
    [InlineData("GET /ü 999", "out_of_range code@8")]
    [InlineData("POST /a 200", "no_match @0")]
    public void Named_groups_become_fields(string frame, string expected) =>
        Decode("{ regex: { pattern: '^GET (?<path>\\S+) (?<code>[0-9]+)( (?<note>never)?.*)?$' } }", "{ path: string, code: { type: int64, max: 599 }, note?: string, at: timestamp }", Encoding.UTF8.GetBytes(frame)).ShouldBe(expected);

    [Theory]
    [InlineData("\U0001F600y", """{"a":"\uD83D\uDE00","b":"y"}""")]
    [InlineData("x\U0001F600y", "no_match a@0")]
    [InlineData("é\U0001F600", "no_match a@0")]
    public void A_group_that_ends_within_a_character_takes_no_half_of_it(string frame, string expected) =>
        Decode("{ regex: { pattern: '^(?<a>.{2})(?<b>.*)$' } }", "{ a: string, b: string, at: timestamp }", Encoding.UTF8.GetBytes(frame)).ShouldBe(expected);

    [Fact]
    public void A_pattern_that_a_peer_could_stall_takes_linear_time() =>
        Decode("{ regex: { pattern: '^(a|a?)+$' } }", "{ at: timestamp }", [.. Enumerable.Repeat((byte)'a', 100_000), (byte)'!']).ShouldBe("no_match @0");

    const string Syslog = "{ facility: int64, severity: int64, timestamp?: timestamp, hostname?: string, app_name?: string, proc_id?: string, msg_id?: string, structured_data?: string, message: string, at: timestamp }";

    [Theory]
    [InlineData("<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - 'su root' failed",
        """{"facility":4,"severity":2,"timestamp":"2003-10-11T22:14:15.003Z","hostname":"mymachine.example.com","app_name":"su","msg_id":"ID47","message":"'su root' failed"}""")]
    [InlineData("<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - %% It's time",
        """{"facility":20,"severity":5,"timestamp":"2003-08-24T12:14:15.000003Z","hostname":"192.0.2.1","app_name":"myproc","proc_id":"8710","message":"%% It's time"}""")]
    [InlineData("<165>1 - host app - - [a@1 x=\"]\\\"\" y=\"z\"][b@1] \uFEFFtext", """{"facility":20,"severity":5,"hostname":"host","app_name":"app","structured_data":"[a@1 x=\"]\\\"\" y=\"z\"][b@1]","message":"text"}""")]
    [InlineData("<34>Oct 11 22:14:15 mymachine su[42]: 'su root' failed on /dev/pts/8",
        """{"facility":4,"severity":2,"timestamp":"2025-10-11T22:14:15Z","hostname":"mymachine","app_name":"su","proc_id":"42","message":"'su root' failed on /dev/pts/8"}""")]
    [InlineData("<13>Jan  5 01:00:00 h app: m", """{"facility":1,"severity":5,"timestamp":"2026-01-05T01:00:00Z","hostname":"h","app_name":"app","message":"m"}""")]
    [InlineData("<13>2026-01-05T01:00:00+01:00 h no tag here", """{"facility":1,"severity":5,"timestamp":"2026-01-05T00:00:00Z","hostname":"h","message":"no tag here"}""")]
    [InlineData("<13>Feb 29 00:00:00 h a: m", """{"facility":1,"severity":5,"timestamp":"2024-02-29T00:00:00Z","hostname":"h","app_name":"a","message":"m"}""")]
    [InlineData("<192>1 - h a - - - m", "bad_syslog @0")]
    [InlineData("<013>1 - h a - - - m", "bad_syslog @0")]
    [InlineData("no priority", "bad_syslog @0")]
    [InlineData("<34>1 2003-10-11 h a - - - m", "bad_syslog @6")]
    [InlineData("<34>1 - h a - - [x m", "bad_syslog @16")]
    [InlineData("<34>1 - h a - - -m", "bad_syslog @17")]
    [InlineData("<34>1 - h", "bad_syslog @8")]
    [InlineData("<34>Okt 11 22:14:15 h a: m", "bad_syslog @4")]
    [InlineData("<34>Oct 11 22:14:15", "bad_syslog @19")]
    [InlineData("<34>1 - h a - - -", "missing_field message@0")]
    public void The_header_of_a_syslog_message_becomes_fields(string frame, string expected) => Decode("syslog", Syslog, Encoding.UTF8.GetBytes(frame)).ShouldBe(expected);

    [Fact]
    public void A_syslog_sender_may_live_in_another_zone() =>
        Decode("{ syslog: { format: rfc3164, zone: '-05:30' } }", "{ timestamp: timestamp, at: timestamp }", "<13>Jan  5 01:00:00 h app: m"u8.ToArray()).ShouldBe("""{"timestamp":"2026-01-05T06:30:00Z"}""");

    [Fact]
    public void A_raw_frame_becomes_base64() => Decode("{ raw: { field: payload, constants: { kind: x } } }", "{ payload: bytes, kind: string, at: timestamp }", [0, 1, 254, 255]).ShouldBe("""{"kind":"x","payload":"AAH+/w=="}""");

    [Theory]
    [InlineData("key_value", "{ at: timestamp, s?: string }", "s=\xC3\x28")]
    [InlineData("syslog", "{ at: timestamp }", "<1>1 - \xC3\x28 a - - -")]
    [InlineData("{ regex: { pattern: '.' } }", "{ at: timestamp }", "\xC3\x28")]
    public void Bytes_that_are_no_UTF8_are_refused_by_every_decoder_of_text(string decoder, string fields, string latin) => Decode(decoder, fields, Encoding.Latin1.GetBytes(latin)).ShouldBe("bad_utf8 @0");
}
