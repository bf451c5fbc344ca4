using System.Text;
using System.Text.Json;
using LeanPipe.Contracts;
using LeanPipe.Gateway;
using LeanPipe.Gateway.Intake;
using LeanPipe.Gateway.Log;
using LeanPipe.Gateway.Windows;
using LeanPipe.Lake;
using Microsoft.Extensions.Logging.Abstractions;

namespace LeanPipe.Integration.Gateway;

/// <summary>Streams that validate after writing: what comes out is what validating at once gives, from the same bytes.</summary>
public sealed class ValidateAfterTests : IDisposable
{
    static readonly DateTimeOffset Now = new(2026, 1, 1, 10, 30, 0, TimeSpan.Zero);

    static readonly StreamDefinition Json = GatewayUnderTest.Seq with { SealWhenIdleFor = TimeSpan.FromMinutes(1) };

    static readonly StreamDefinition Csv = Json with { Decoder = new CsvDecoderDefinition(["seq", "t"], Header: true) };

    static readonly StreamDefinition Prefixed = Json with { Framing = new LengthPrefixFramingDefinition(2) };

    static readonly StreamDefinition Stamped = Json with
    {
        Schema = new([new("seq", new Int64Type()), new("t", new TimestampType()), new("at", new TimestampType())]),
        Stamps = new Dictionary<string, StampSource> { ["at"] = StampSource.ReceivedAt },
    };

    static readonly byte[] Lines = Text(
        "\n\r\n" + Sender.Line(1) + "\n" + Sender.Line(2) + "\r\nbad\n{\"seq\":3}\n" + Sender.Line(4, "2026-01-01T09:59:59Z") + "\n" + new string('x', 300) + "\n" + new string('y', 9000) + "\r\n" +
        Sender.Line(5, "2000-01-01T00:00:00Z") + "\n{\"seq\":6,\"seq\":6,\"t\":\"2026-01-01T10:00:00Z\"}\n" + string.Concat(Enumerable.Range(7, 200).Select(i => Sender.Line(i) + "\n")) + "{\"seq");

    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("leanpipe-after-");

    public void Dispose() => _folder.Delete(recursive: true);

    public static TheoryData<string> Cases => ["json", "stamped", "csv", "bad_header", "prefixed", "bad_length"];

    [Theory, MemberData(nameof(Cases))]
    public async Task The_same_bytes_give_the_same_records_rejects_windows_and_sums_both_ways(string name)
    {
        var (stream, bytes) = CaseOf(name);
        var before = await TakeAsync(stream, bytes, ValidationMode.Before);
        var after = await TakeAsync(stream, bytes, ValidationMode.After);

        after.Records.ShouldBe(before.Records);
        after.Rejects.ShouldBe(before.Rejects);
        after.Windows.ShouldBe(before.Windows);
        after.Sums.ShouldBe(before.Sums);
        before.Kept.ShouldBeEmpty();
        (before.KeptRecords, after.KeptRecords).ShouldBe((0, after.Records.Count));
        after.Kept.Sum(b => (long)KeptFrames.CountFrames(b)).ShouldBe(after.Frames);
    }

    [Fact]
    public async Task Segments_of_frames_hold_the_very_bytes_that_came()
    {
        var taken = await TakeAsync(Json, Text("a\nbc \r\n\n{\u00e4}\n"), ValidationMode.After);
        var frames = new List<string>();
        foreach (var segment in taken.Kept)
        {
            for (var rest = segment.AsSpan(); !rest.IsEmpty;)
            {
                var block = KeptFrames.Read(rest, out var length);
                block.ReceivedAt.ShouldBe(Now);
                block.Peer.ShouldStartWith("127.0.0.1:");
                foreach (var frame in block) frames.Add(Encoding.UTF8.GetString(frame.Bytes));
                rest = rest[length..];
            }
        }
        frames.ShouldBe(["a", "bc ", "{\u00e4}"]);
    }

    [Theory, InlineData("x", 500), InlineData("""{"seq":1,"t":"2026-01-01T10:00:00Z"}""", 20), InlineData("<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<", 20)]
    public async Task A_log_that_keeps_frames_stays_within_its_bound_whatever_they_become(string frame, int count)
    {
        var (options, log, stream, state, health) = await OpenAsync(Json);
        using (log)
        {
            await KeepAsync(options, log, stream, health, string.Concat(Enumerable.Repeat(frame + "\n", count)));
            health.Reasons.Keys.ShouldBe(["log_full"]);
            using var validation = new BackgroundValidation(log, state, new Dictionary<int, StreamIntake> { [0] = stream }, options, health, TimeProvider.System, NullLogger.Instance);
            await validation.CatchUpAsync(default);
            log.Bytes.ShouldBeLessThan(options.MaxLogBytes);
            lock (state.Sync) state.Streams[0].ToLedger("g", Now).Unvalidated.ShouldBeNull();
        }
    }

    [Fact]
    public async Task An_adopted_log_is_validated_by_the_documents_that_are_given_and_waits_for_those_that_are_not()
    {
        var (options, log, stream, _, health) = await OpenAsync(Json);
        using (log) await KeepAsync(options, log, stream, health, Sender.Line(1) + "\nbad\n");
        var published = 0;
        Task<DrainReport> AdoptAsync(params StreamDefinition[] streams) => GatewayAdoption.RunAsync(
            options with { Streams = streams },
            (_, _) =>
            {
                published++;
                return Task.CompletedTask;
            },
            NullLogger.Instance, TimeProvider.System, GatewayUnderTest.Timeout());

        var report = await AdoptAsync();
        (report.Sealed, report.BytesLeft > 0).ShouldBe((0, true));
        report = await AdoptAsync(Json);
        (report.Sealed, report.BytesLeft, published).ShouldBe((1, 0, 1));
        var lake = ObjectStores.Open(options.Lake);
        var ledger = (await lake.GetJsonAsync(LakeLayout.Ledger(Json.Name, options.Id), ContractsJson.Default.Ledger, default))!;
        (ledger.Records, ledger.Rejects["bad_json"], ledger.Unvalidated).ShouldBe((ledger.Frames / 2, ledger.Frames / 2, null));
        GatewayUnderTest.ShouldBalance(ledger);
        ledger.ByConnection!.ShouldAllBe(c => !c.IsOpen);
        (await AdoptAsync(Json)).ShouldBe(report with { Sealed = 0 }, new SameFigures());
    }

    sealed class SameFigures : IEqualityComparer<DrainReport>
    {
        public bool Equals(DrainReport? x, DrainReport? y) => (x!.Sealed, x.BytesLeft, x.Open, x.Unpublished) == (y!.Sealed, y.BytesLeft, y.Open, y.Unpublished);

        public int GetHashCode(DrainReport report) => report.Sealed;
    }

    /// <summary>A log as a gateway opens it, small.</summary>
    async Task<(GatewayOptions Options, WriteAheadLog Log, StreamIntake Stream, GatewayState State, GatewayHealth Health)> OpenAsync(StreamDefinition definition)
    {
        var options = GatewayUnderTest.Options(_folder.FullName, definition with { Validation = ValidationMode.After }) with { LogFileBytes = 16 * 1024, MaxLogBytes = 256 * 1024 };
        var (state, health) = (new GatewayState(TimeProvider.System), new GatewayHealth());
        var log = WriteAheadLog.Open(options, state, health, NullLogger.Instance);
        await log.AppendAsync(EntryKind.Gateway, new(options.Id), LogJson.Default.GatewayEntry);
        await log.AppendAsync(EntryKind.StreamDeclared, new(0, definition.Name), LogJson.Default.StreamDeclared);
        var stream = new StreamIntake(definition, 0, Now);
        await log.AppendAsync(EntryKind.Settings, new(0, StreamSettings.Of(definition, stream.Columns)), LogJson.Default.SettingsEntry);
        return (options, log, stream, state, health);
    }

    /// <summary>One connection's frames until reading stops, none of them validated.</summary>
    static async Task KeepAsync(GatewayOptions options, WriteAheadLog log, StreamIntake stream, GatewayHealth health, string portion)
    {
        var intake = new FrameIntake(stream, options, TimeProvider.System, 1, "127.0.0.1:1", keepsFrames: true);
        log.Append(new ConnectionEntry(0, 1, 0, 0), static (b, e) => e.Write(b.Add(EntryKind.ConnectionOpened, ConnectionEntry.Bytes)));
        var bytes = Text(portion);
        for (long received = bytes.Length; health.IsReading; received += bytes.Length) await intake.Take(bytes, received, log).Batch!.Durable;
    }

    static (StreamDefinition Stream, byte[] Bytes) CaseOf(string name) => name switch
    {
        "json" => (Json, Lines),
        "stamped" => (Stamped, Lines),
        "csv" => (Csv, Text("seq,t\n1,2026-01-01T10:00:00Z\nx,2026-01-01T10:00:00Z\n2\n\"3\",2026-01-01T09:00:00Z\r\n4,2026-01-01T10:")),
        "bad_header" => (Csv, Text("t,seq\n1,2026-01-01T10:00:00Z\n\n2,2026-01-01T10:00:00Z\n")),
        "prefixed" => (Prefixed, [.. Prefix(Sender.Line(1)), .. Prefix("bad"), 0, 0, .. Prefix(new string('z', 5000)), .. Prefix("{\"seq\":\n2,\"t\":\"2026-01-01T10:00:00Z\"}"), 0, 9, 1]),
        _ => (Json with { Framing = new OctetCountingFramingDefinition() }, Text($"{Sender.Line(1).Length} {Sender.Line(1)}3 badrubbish")),
    };

    async Task<Taken> TakeAsync(StreamDefinition stream, byte[] bytes, ValidationMode mode)
    {
        var time = new ManualTime(Now);
        var folder = Path.Combine(_folder.FullName, mode.ToString());
        await using var gateway = await GatewayUnderTest.StartAsync(GatewayUnderTest.Options(folder, stream with { Validation = mode }) with { Buffers = GatewayUnderTest.Tiny with { PortionBytes = 512 } }, time: time);
        using (var sender = await gateway.ConnectAsync())
        {
            await sender.SendBytesAsync(bytes);
            await sender.FinishAsync();
        }
        await gateway.Host.DrainAsync(seal: true, GatewayUnderTest.Timeout());
        var ledger = gateway.Ledger;
        GatewayUnderTest.ShouldBalance(ledger);
        ledger.ByConnection.ShouldNotBeNull().ShouldAllBe(c => !c.IsOpen);
        ledger.BytesReceived.ShouldBe(bytes.Length);
        var kept = new List<byte[]>();
        await foreach (var item in gateway.Lake.ListAsync("frames/", default)) kept.Add((await gateway.Lake.GetAsync(item.Key, default))!.Value.ToArray());
        var windows = new List<string>();
        await foreach (var item in gateway.Lake.ListAsync("windows/", default))
        {
            var manifest = (await gateway.Lake.GetJsonAsync(item.Key, ContractsJson.Default.WindowManifest, default))!;
            windows.Add($"{manifest.Window} {manifest.Revision} {manifest.Rows} {manifest.Bytes} {manifest.Schema} {manifest.Columns.Count}");
        }
        return new(
            await gateway.LinesUnderAsync("raw/"), [.. (await gateway.LinesUnderAsync("rejected/")).Select(WithoutPeer)], windows,
            JsonSerializer.Serialize(WithoutPlaces(ledger), ContractsJson.Default.Ledger), kept, ledger.Frames, (int)(ledger.Kept?.Values.Sum() ?? 0));
    }

    /// <summary>A reject names the peer's port, and a log that keeps frames is longer.</summary>
    static Ledger WithoutPlaces(Ledger ledger) =>
        ledger with { UpTo = null, Kept = null, ByArrival = [.. ledger.ByArrival!.Select(a => a with { Stored = a.Stored! with { Bytes = 0, Digest = "" } })] };

    static string WithoutPeer(string reject)
    {
        var fields = JsonDocument.Parse(reject).RootElement.EnumerateObject().Where(p => p.Name is not ("peer" or "frame_kept"));
        return string.Join(' ', fields.Select(p => $"{p.Name}={p.Value}"));
    }

    static byte[] Prefix(string frame) => [(byte)(frame.Length >> 8), (byte)frame.Length, .. Text(frame)];

    static byte[] Text(string text) => Encoding.UTF8.GetBytes(text);

    sealed record Taken(List<string> Records, List<string> Rejects, List<string> Windows, string Sums, List<byte[]> Kept, long Frames, int KeptRecords);
}
