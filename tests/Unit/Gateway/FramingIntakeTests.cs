using System.Buffers.Binary;
using System.Text;
using LeanPipe.Contracts;
using LeanPipe.Gateway;
using LeanPipe.Gateway.Intake;
using LeanPipe.Gateway.Log;
using LeanPipe.Gateway.Windows;
using Microsoft.Extensions.Logging.Abstractions;

namespace LeanPipe.Unit.Gateway;

/// <summary>Every framing through the intake, from a buffer that grows byte by byte.</summary>
public sealed class FramingIntakeTests : IDisposable
{
    const int MaxFrame = 40;

    static readonly StreamDefinition Stream = new()
    {
        Name = new("framed"),
        Listen = "127.0.0.1:0",
        EventTime = "t",
        Limits = new() { MaxFrameBytes = MaxFrame, MaxAhead = TimeSpan.FromDays(36500), MaxBehind = TimeSpan.FromDays(36500) },
        Schema = new([new("n", new Int64Type()), new("t", new TimestampType(TimestampUnit.Seconds))]),
    };

    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("leanpipe-framings-");
    readonly GatewayState _state = new(TimeProvider.System);
    readonly GatewayOptions _options;
    readonly WriteAheadLog _log;

    public FramingIntakeTests()
    {
        _options = new() { Streams = [Stream], Lake = new() { Root = _folder.FullName }, LogDirectory = _folder.FullName, RejectKeepsBytes = 50 };
        _log = WriteAheadLog.Open(_options, _state, new(), NullLogger.Instance);
        _log.AppendAsync(EntryKind.StreamDeclared, new(0, Stream.Name), LogJson.Default.StreamDeclared).Wait();
    }

    public void Dispose()
    {
        _log.Dispose();
        _folder.Delete(recursive: true);
    }

    public static TheoryData<string, FramingDefinition, Func<byte[], byte[]>> Framings => new()
    {
        { "newline", new NewlineFramingDefinition(), f => [.. f, (byte)'\n'] },
        { "crlf", new NewlineFramingDefinition(), f => [.. f, (byte)'\r', (byte)'\n'] },
        { "nul", new DelimiterFramingDefinition(0), f => [.. f, 0] },
        { "1", new LengthPrefixFramingDefinition(1), f => [(byte)f.Length, .. f] },
        { "1 itself counted", new LengthPrefixFramingDefinition(1, IncludesHeader: true), f => [(byte)(f.Length + 1), .. f] },
        { "2 little", new LengthPrefixFramingDefinition(2, BigEndian: false), f => [(byte)f.Length, 0, .. f] },
        { "4 big", new LengthPrefixFramingDefinition(4), f => [.. Big(f.Length), .. f] },
        { "4 big itself counted", new LengthPrefixFramingDefinition(4, IncludesHeader: true), f => [.. Big(f.Length + 4), .. f] },
        { "varint", new VarintFramingDefinition(), f => [(byte)f.Length, .. f] },
        { "octets", new OctetCountingFramingDefinition(), f => [.. Encoding.ASCII.GetBytes($"{f.Length} "), .. f] },
    };

    static byte[] Big(int length)
    {
        var head = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(head, length);
        return head;
    }

    [Theory, MemberData(nameof(Framings))]
    public async Task Cut_at_every_byte_a_framing_gives_the_same_frames_and_the_same_sums(string name, FramingDefinition framing, Func<byte[], byte[]> frame)
    {
        byte[] one = frame("{\"n\":1,\"t\":3600}"u8.ToArray()), half = frame("{\"n\":2}"u8.ToArray())[..^2];
        byte[] wire = [.. one, .. frame(new byte[MaxFrame + 5].Select(_ => (byte)'x').ToArray()), .. frame("{\"n\":y}"u8.ToArray()), .. one, .. half];
        for (var first = 0; first <= wire.Length; first++)
        {
            var before = Ledger();
            var frames = await RunAsync(framing, wire, [first, wire.Length]);
            Check(frames, before, name, half.Length, wire.Length, first);
        }
        var start = Ledger();
        Check(await RunAsync(framing, wire, Enumerable.Range(1, wire.Length)), start, name, half.Length, wire.Length, -1);
    }

    void Check(long frames, Ledger before, string name, int partial, int received, int cut)
    {
        var after = Ledger();
        var at = $"{name} cut at {cut}";
        frames.ShouldBe(4, at);
        (after.Records - before.Records).ShouldBe(2, at);
        (after.BytesReceived - before.BytesReceived).ShouldBe(received, at);
        (after.BytesPartial - before.BytesPartial).ShouldBe(partial, at);
        (after.Rejects["bad_json"] - before.Rejects.GetValueOrDefault("bad_json")).ShouldBe(1, at);
        (after.Rejects["frame_too_large"] - before.Rejects.GetValueOrDefault("frame_too_large")).ShouldBe(1, at);
        after.BytesReceived.ShouldBe(after.BytesFramed + after.BytesRejected + after.BytesPartial);
    }

    [Fact]
    public async Task A_bad_length_is_one_reject_and_the_end_of_its_connection()
    {
        var intake = Intake(new OctetCountingFramingDefinition());
        var wire = "16 {\"n\":1,\"t\":3600}<34>1 ..."u8.ToArray();
        var (consumed, batch) = intake.Take(wire, wire.Length, _log);
        await batch.ShouldNotBeNull().Durable;
        intake.IsBroken.ShouldBeTrue();
        (consumed, intake.Frames).ShouldBe((wire.Length, 2));
        var ledger = Ledger();
        (ledger.Records, ledger.Rejects["bad_length"], ledger.BytesRejected).ShouldBe((1, 1, 9));
        ledger.BytesReceived.ShouldBe(ledger.BytesFramed + ledger.BytesRejected);
    }

    [Fact]
    public async Task Empty_frames_are_framing_and_no_frames()
    {
        var intake = Intake(new VarintFramingDefinition());
        await intake.Take([0, 0x80, 0, 0], 4, _log).Batch.ShouldNotBeNull().Durable;
        (intake.Frames, Ledger().BytesFramed).ShouldBe((0, 4));
    }

    [Fact]
    public async Task A_skipped_frame_of_four_gigabytes_is_counted_to_its_last_byte()
    {
        var intake = Intake(new LengthPrefixFramingDefinition(4));
        var chunk = new byte[64 << 20];
        long received = 4;
        intake.Take([255, 255, 255, 255], received, _log);
        for (long left = uint.MaxValue; left > 0;)
        {
            var length = (int)Math.Min(left, chunk.Length);
            received += length;
            left -= length;
            if (intake.Take(chunk.AsSpan(0, length), received, _log).Batch is { } batch) await batch.Durable;
        }
        var ledger = Ledger();
        (ledger.BytesReceived, ledger.BytesRejected, intake.Frames).ShouldBe((uint.MaxValue + 4L, uint.MaxValue + 4L, 1));
    }

    FrameIntake Intake(FramingDefinition framing) => new(new(Stream with { Framing = framing }, 0, DateTimeOffset.UtcNow), _options, TimeProvider.System, 1, "test");

    async Task<long> RunAsync(FramingDefinition framing, byte[] wire, IEnumerable<int> ends)
    {
        var intake = Intake(framing);
        var left = 0;
        foreach (var end in ends) left += intake.Take(wire.AsSpan(left, end - left), end, _log).Consumed;
        await _log.Append(intake.End(wire.Length - left, wire.Length), static (b, e) => e.Write(b.Add(EntryKind.ConnectionClosed, ConnectionEntry.Bytes))).Durable;
        return intake.Frames;
    }

    Ledger Ledger()
    {
        lock (_state.Sync) return _state.Streams[0].ToLedger("g", default);
    }
}
