using System.Buffers;
using System.Text;
using LeanPipe.Contracts;
using LeanPipe.Documents;
using LeanPipe.Gateway;
using LeanPipe.Gateway.Intake;
using LeanPipe.Gateway.Log;

namespace LeanPipe.Unit.Gateway;

/// <summary>The room that the log keeps for frames that are not validated yet is never less than what they become.</summary>
public sealed class FrameGrowthTests
{
    static readonly DateTimeOffset Now = new(2026, 1, 1, 10, 0, 0, TimeSpan.Zero);
    static readonly GatewayOptions Options = new() { Streams = [], Lake = new() { Root = "." }, LogDirectory = "." };

    public static TheoryData<string, string, string, string> Cases => new()
    {
        { "a long default", "json", $$"""fields: { n: int64, d: { type: string, default: "{{new string('x', 3000)}}" }, at: timestamp }""", """{"n":1}""" },
        { "defaults within lists", "json", $$"""fields: { l: { list: { record: { d: { type: string, default: "{{new string('x', 100)}}" }, e: { type: int64, aliases: [f], default: 1 } } } }, at: timestamp }""", $$"""{"l":[{{string.Join(',', Enumerable.Repeat("{}", 500))}}]}""" },
        { "aliases within lists of lists", "json", "fields: { l: { list: { list: { record: { a_long_name_that_stands_for_a_short_one: { type: int64, aliases: [f] } } } } }, at: timestamp }", $$"""{"l":[[{{string.Join(',', Enumerable.Repeat("{\"f\":1}", 500))}}]]}""" },
        { "unknown fields that are kept", "json", "{ extra: keep, fields: { at: timestamp } }", "{" + string.Join(',', Enumerable.Range(0, 200).Select(i => $"\"{i}\":0")) + "}" },
        { "an unknown name", "json", "fields: { at: timestamp }", $$"""{"{{new string('<', 3000)}}":1}""" },
        { "a deep path", "json", $$"""fields: { {{new string('p', 200)}}: { record: { {{new string('q', 200)}}: { list: int64 } } }, at: timestamp }""", "{\"" + new string('p', 200) + "\":{\"" + new string('q', 200) + "\":[\"x\"]}}" },
        { "control characters in cells", "{ csv: { columns: [a, b] } }", "fields: { a: string, b: string?, at: timestamp }", new string('\u0001', 500) + "," },
        { "times and nulls in cells", "{ csv: { columns: [a, b, c] } }", "fields: { a: timestamp, b: int64?, c: decimal?, at: timestamp }", "2026-01-01T10:00:00Z,," },
        { "constants", $$"""{ csv: { columns: [a], constants: { c: "{{new string('<', 300)}}" } } }""", "fields: { a: string, c: string, at: timestamp }", "x" },
        { "keys alone", "key_value", "{ extra: keep, fields: { at: timestamp } }", string.Concat(Enumerable.Repeat("\u007f ", 500)) },
        { "groups within groups", "{ regex: { pattern: '^(?<a>(?<b>(?<c>.*)))$' } }", "fields: { a: string, b: string, c: string, at: timestamp }", new string('\u0001', 500) },
        { "bytes", "{ raw: { field: a } }", "fields: { a: bytes, at: timestamp }", new string('x', 100) },
        { "numbers of one byte", "{ binary: { fields: { a: { type: u8, scale: 0.00000001 }, b: { type: i8, scale: 0.00000001 }, c: { type: bool } } } }", "fields: { a: float64, b: { type: decimal, precision: 38, scale: 8 }, c: bool, at: timestamp }", "\u007f\u007f\u0001" },
        { "syslog", "syslog", "fields: { facility: int64, severity: int64, timestamp?: timestamp, hostname?: string, message: string, at: timestamp }", $"<0>1 2026-01-01T10:00:00Z h - - - - {new string('\u0001', 300)}" },
        { "no such thing", "json", "fields: { at: timestamp }", new string('\u0001', 5000) },
    };

    [Theory, MemberData(nameof(Cases))]
    public void Frames_become_no_more_than_there_is_room_for(string what, string decoder, string schema, string frame)
    {
        var stream = StreamDocument.Parse("s.yaml", $$"""
            stream: s
            listen: 127.0.0.1:0
            decoder: {{decoder}}
            schema: {{(schema.StartsWith('{') ? schema : "{ " + schema + " }")}}
            stamp: { at: received_at }
            event_time: at
            limits: { max_frame: 64KB }
            """).Require();
        foreach (var count in new[] { 1, 50 })
        {
            var (block, became) = Judge(stream, Encoding.Latin1.GetBytes(frame), count);
            ((long)became).ShouldBeLessThanOrEqualTo(FrameGrowth.Of(stream).Of(block, count, 1), $"{what}, {count} frames");
        }
    }

    [Fact]
    public void An_estimate_by_size_alone_was_too_little()
    {
        var stream = StreamDocument.Parse("s.yaml", $$"""
            stream: s
            listen: 127.0.0.1:0
            schema: { fields: { d: { type: string, default: "{{new string('x', 3000)}}" }, at: timestamp } }
            stamp: { at: received_at }
            event_time: at
            """).Require();
        var (block, became) = Judge(stream, "{}"u8.ToArray(), 50);
        became.ShouldBeGreaterThan(2 * block + 512 * 50);
    }

    /// <returns>Bytes of the block of frames, and of what it became in the log.</returns>
    static (int Block, int Became) Judge(StreamDefinition stream, byte[] frame, int count)
    {
        var client = new string('<', 64);
        var block = new ArrayBufferWriter<byte>();
        KeptFramesWriter.Begin(block, 1, "[2001:db8:ffff:ffff:ffff:ffff:ffff:ffff]:65535", client, Now);
        for (var i = 0; i < count; i++) KeptFramesWriter.Add(block, KeptFault.None, frame, frame.Length + 1, isTruncated: false);
        KeptFramesWriter.End(block, count);

        var intake = new FrameIntake(new StreamIntake(stream, 0, Now), Options, TimeProvider.System, 1, "[2001:db8:ffff:ffff:ffff:ffff:ffff:ffff]:65535", client);
        var scratch = new IntakeScratch();
        intake.Judge(KeptFrames.Read(block.WrittenSpan, out _), scratch);
        var batch = new LogBatch(new byte[64]);
        IntakeEntries.WriteRead(batch, 0, 1, block.WrittenCount, 0, intake.Arrival);
        IntakeEntries.WriteRuns(batch, 0, 1, scratch.Runs, scratch.Rewritten.WrittenSpan, default);
        new JudgedEntry(0, 1).Write(batch.Add(EntryKind.Judged, JudgedEntry.Bytes));
        return (block.WrittenCount, batch.Length);
    }
}
