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
