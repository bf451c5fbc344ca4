using System.Text;
using LeanPipe.Contracts;
using LeanPipe.Gateway;
using LeanPipe.Gateway.Intake;
using LeanPipe.Gateway.Log;
using LeanPipe.Gateway.Windows;
using Microsoft.Extensions.Logging.Abstractions;

namespace LeanPipe.Unit.Gateway;

public sealed class FrameIntakeTests : IDisposable
{
    static readonly StreamDefinition Telemetry = new()
    {
        Name = new("telemetry"),
        Listen = "127.0.0.1:0",
        EventTime = "t",
        Limits = new() { MaxFrameBytes = 30, MaxAhead = TimeSpan.FromDays(36500), MaxBehind = TimeSpan.FromDays(36500) },
        Schema = new([new("n", new Int64Type()), new("t", new TimestampType(TimestampUnit.Seconds))]),
    };

    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("leanpipe-intake-");
    readonly GatewayState _state = new(TimeProvider.System);
    readonly GatewayOptions _options;
    readonly WriteAheadLog _log;

    public FrameIntakeTests()
    {
        _options = new() { Streams = [Telemetry], Lake = new() { Root = _folder.FullName }, LogDirectory = _folder.FullName, RejectKeepsBytes = 8 };
        _log = WriteAheadLog.Open(_options, _state, new(), NullLogger.Instance);
        _log.AppendAsync(EntryKind.StreamDeclared, new(0, Telemetry.Name), LogJson.Default.StreamDeclared).Wait();
    }

    public void Dispose()
    {
        _log.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Cut_at_every_byte_a_connection_gives_the_same_frames_and_the_same_sums()
    {
        var wire = Encoding.UTF8.GetBytes("{\"n\":1,\"t\":3600}\n\n{\"n\":2,\"t\":7200}\r\n\r\n{\"n\":x}\r\n0123456789012345678901234567890123456789\n{\"n\":3,\"t\":3601}\n{\"half");
        var before = Ledger();
        for (var first = 0; first <= wire.Length; first++)
        {
            var intake = new FrameIntake(new(Telemetry, 0, DateTimeOffset.UtcNow), _options, TimeProvider.System, first, "test");
            var left = 0;
            LogBatch? last = null;
            foreach (var end in new[] { first, wire.Length })
            {
                var (consumed, batch) = intake.Take(wire.AsSpan(left, end - left), end, _log);
                left += consumed;
                last = batch ?? last;
            }
            var closed = _log.Append(intake.End(wire.Length - left, wire.Length), static (b, e) => e.Write(b.Add(EntryKind.ConnectionClosed, ConnectionEntry.Bytes)));
            await closed.Durable;
            intake.Frames.ShouldBe(5);

            var after = Ledger();
            (after.Records - before.Records).ShouldBe(3, $"cut at {first}");
            (after.BytesReceived - before.BytesReceived).ShouldBe(wire.Length, $"cut at {first}");
            (after.BytesPartial - before.BytesPartial).ShouldBe(6, $"cut at {first}");
            (after.Rejects["bad_json"], after.Rejects["frame_too_large"]).ShouldBe((first + 1, first + 1));
            after.BytesReceived.ShouldBe(after.BytesFramed + after.BytesRejected + after.BytesPartial);
            after.Windows.ShouldBe(new Dictionary<string, long> { ["1970-01-01T01"] = 2 * (first + 1), ["1970-01-01T02"] = first + 1 }, ignoreOrder: true);
            before = after;
        }
    }

    /// <summary>With the delimiter LF every frame is found before it is looked at; lines are walked where they stand.</summary>
    [Fact]
    public async Task The_short_way_of_lines_leads_where_the_long_way_leads()
    {
        var random = new Random(4);
        string[] kinds =
        [
            """{"n":1,"t":3600}""", """{"n":22,"t":7200}""", """{"n":3,"t":7199}""", """{"t":3600,"n":4}""", """{"n": 5, "t": 9}""", """{"n":6,"t":1e3}""", """{ "n":7,"t":1}  """, """{"n":"8","t":1}""",
            """{"n":9,"t":99999999999}""", """{"n":1000000000001,"t":3600.25}""", "", "x", """{"n":10}""", """{"n":11,"t":3600}}""",
        ];
        var format = Telemetry with { Limits = Telemetry.Limits with { MaxOpenWindows = 3 } };
        var delimited = format with { Framing = new DelimiterFramingDefinition((byte)'\n') };
        for (var round = 0; round < 40; round++)
        {
            // Runs of one kind, so that lines are found after frames and frames after lines.
            var lines = Enumerable.Range(0, 60).SelectMany(_ => Enumerable.Repeat(kinds[random.Next(kinds.Length)], random.Next(1, 6)));
            var wire = Encoding.UTF8.GetBytes(string.Join('\n', lines) + "\n{\"n\":12,");
            var portion = random.Next(1, 300);
            var shortWay = await TakeAsync(format, wire, portion);
            var longWay = await TakeAsync(delimited, wire, portion);
            shortWay.ShouldBe(longWay, $"round {round}, portions of {portion}");
        }
    }

    /// <summary>What a connection adds to the ledger.</summary>
    async Task<string> TakeAsync(StreamDefinition stream, byte[] wire, int portion)
    {
        var before = Ledger();
        var intake = new FrameIntake(new(stream, 0, DateTimeOffset.UtcNow), _options, TimeProvider.System, 1, "test");
        var (left, end) = (0, 0);
        while (end < wire.Length)
        {
            end = Math.Min(wire.Length, end + portion);
            left += intake.Take(wire.AsSpan(left, end - left), end, _log).Consumed;

            // What is left may come again in pieces.
            if (end - left > 2) left += intake.Take(wire.AsSpan(left, 2), left + 2, _log).Consumed;
        }
        await _log.Append(intake.End(wire.Length - left, wire.Length), static (b, e) => e.Write(b.Add(EntryKind.ConnectionClosed, ConnectionEntry.Bytes))).Durable;
        var after = Ledger();
        var sums = new[] { after.Records - before.Records, after.Frames - before.Frames, after.BytesFramed - before.BytesFramed, after.BytesRejected - before.BytesRejected, after.BytesPartial - before.BytesPartial };
        return $"{string.Join(' ', sums)} {Added(before.Rejects, after.Rejects)} {Added(before.Windows, after.Windows)}";

        static string Added(IReadOnlyDictionary<string, long> before, IReadOnlyDictionary<string, long> after) =>
            string.Join(' ', after.OrderBy(a => a.Key, StringComparer.Ordinal).Select(a => $"{a.Key} {a.Value - before.GetValueOrDefault(a.Key)}"));
    }

    [Fact]
    public async Task From_the_read_buffer_to_the_log_a_record_allocates_nothing()
    {
        const int Lines = 500;
        const int Rounds = 200;
        var wire = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, Lines).Select(i => $"{{\"n\":{i},\"t\":{3600 + i % 3600}}}\n")));
        var intake = new FrameIntake(new(Telemetry, 0, DateTimeOffset.UtcNow), _options, TimeProvider.System, 1, "test");
        long received = 0, allocated = 0;
        for (var round = 0; round < Rounds * 2; round++)
        {
            received += wire.Length;
            var before = GC.GetAllocatedBytesForCurrentThread();
            var batch = intake.Take(wire, received, _log).Batch.ShouldNotBeNull();
            if (round >= Rounds) allocated += GC.GetAllocatedBytesForCurrentThread() - before;
            await batch.Durable;
        }

        // A batch may cost something; a record must not.
        allocated.ShouldBeLessThan(Lines * Rounds);
        Ledger().Records.ShouldBe(2 * Rounds * Lines);
    }

    Ledger Ledger()
    {
        lock (_state.Sync) return _state.Streams[0].ToLedger("g", default);
    }
}
