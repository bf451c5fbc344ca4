using System.Text;
using System.Text.Json;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Integration.Gateway;

public sealed class IntakeTests : IDisposable
{
    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("leanpipe-intake-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Every_kind_of_frame_is_counted_once_and_acknowledged_once()
    {
        await using var gateway = await GatewayUnderTest.StartAsync(GatewayUnderTest.Options(_folder.FullName, GatewayUnderTest.Seq));
        using (var sender = await gateway.ConnectAsync())
        {
            await sender.SendAsync(
                Sender.Line(1) + "\n" + Sender.Line(2) + "\r\n" + "\n\r\n" + "{\"seq\":\n" + "{\"seq\":\"3\",\"t\":\"2026-01-01T10:00:00Z\"}\n" + new string('x', 300) + "\n" + Sender.Line(4) + "\n" + "{\"partial");
            await sender.AcknowledgedAsync(6);
            await sender.FinishAsync();
            sender.Acknowledged.ShouldBe(6);
        }
        await gateway.StopAsync();

        var ledger = gateway.Ledger;
        GatewayUnderTest.ShouldBalance(ledger);
        ledger.Connections.ShouldBe(1);
        ledger.Records.ShouldBe(3);
        ledger.Rejects.ShouldBe(new Dictionary<string, long> { ["bad_json"] = 1, ["frame_too_large"] = 1, ["wrong_type"] = 1 }, ignoreOrder: true);
        ledger.BytesPartial.ShouldBe(9);
        (await gateway.LinesUnderAsync("raw/seq/")).ShouldBe([Sender.Line(1), Sender.Line(2), Sender.Line(4)]);

        var rejects = (await gateway.LinesUnderAsync("rejected/seq/")).ConvertAll(l => JsonDocument.Parse(l).RootElement);
        rejects.ConvertAll(r => r.GetProperty("code").GetString()).ShouldBe(["bad_json", "wrong_type", "frame_too_large"]);
        rejects[1].GetProperty("field").GetString().ShouldBe("seq");
        Encoding.UTF8.GetString(rejects[1].GetProperty("raw_base64").GetBytesFromBase64()).ShouldBe("{\"seq\":\"3\",\"t\":\"2026-01-01T10:00:00Z\"}");
        rejects[2].GetProperty("bytes").GetInt64().ShouldBe(301);
        rejects.Sum(r => r.GetProperty("bytes").GetInt64()).ShouldBe(ledger.BytesRejected);
        JsonSerializer.Deserialize((await gateway.Lake.GetAsync(LakeLayout.Ledger(new("seq"), "gateway-0"), default))!.Value.Span, ContractsJson.Default.Ledger)!.Records.ShouldBe(3);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    [InlineData(64)]
    [InlineData(1000)]
    public async Task However_the_bytes_are_cut_into_reads_the_result_is_the_same(int readBufferBytes)
    {
        var options = GatewayUnderTest.Options(_folder.FullName, GatewayUnderTest.Seq) with { Buffers = GatewayUnderTest.Tiny with { PortionBytes = readBufferBytes }, RejectKeepsBytes = 10 };
        var text = new StringBuilder();
        for (var i = 0; i < 40; i++)
        {
            text.Append(Sender.Line(i)).Append(i % 2 == 0 ? "\n" : "\r\n");
            if (i % 5 == 0) text.Append(new string('y', 190 + i)).Append('\n');
            if (i % 7 == 0) text.Append('\n');
        }
        text.Append(new string('z', 5000)).Append('\n').Append(Sender.Line(40)).Append('\n').Append(new string('p', 700));
        await using var gateway = await GatewayUnderTest.StartAsync(options);
        using (var sender = await gateway.ConnectAsync())
        {
            foreach (var piece in text.ToString().Chunk(readBufferBytes * 3)) await sender.SendAsync(new(piece));
            await sender.FinishAsync();
            sender.Acknowledged.ShouldBe(41 + 8 + 1);
        }
        await gateway.StopAsync();

        var ledger = gateway.Ledger;
        GatewayUnderTest.ShouldBalance(ledger);
        ledger.BytesReceived.ShouldBe(text.Length);
        ledger.BytesPartial.ShouldBe(700);
        ledger.Records.ShouldBe(41);
        ledger.Rejects.ShouldBe(new Dictionary<string, long> { ["bad_json"] = 3, ["frame_too_large"] = 6 }, ignoreOrder: true);
        (await gateway.LinesUnderAsync("raw/seq/")).ShouldBe(Enumerable.Range(0, 41).Select(i => Sender.Line(i)));
    }

    [Fact]
    public async Task A_CSV_connection_begins_with_its_header_and_one_with_a_wrong_header_is_rejected_whole()
    {
        var stream = GatewayUnderTest.Seq with
        {
            Decoder = new CsvDecoderDefinition(["t", "value"], Header: true, Constants: new Dictionary<string, string> { ["sensor"] = "m" }),
            Schema = new([new("t", new TimestampType(TimestampUnit.Text, "yyyy-MM-dd HH:mm:ss")), new("value", new Float64Type()), new("sensor", new StringType())]),
        };
        await using var gateway = await GatewayUnderTest.StartAsync(GatewayUnderTest.Options(_folder.FullName, stream));
        using (var sender = await gateway.ConnectAsync())
        {
            await sender.SendAsync("t,value\r\n2013-07-04 00:00:00,69.5\r\n2013-07-04 00:30:00,x\r\n2013-07-04 01:00:00,70\r\n");
            await sender.AcknowledgedAsync(3);
            await sender.FinishAsync();
        }
        using (var sender = await gateway.ConnectAsync())
        {
            await sender.SendAsync("value,t\n1,2013-07-04 00:00:00\n");
            await sender.AcknowledgedAsync(2);
            await sender.FinishAsync();
        }
        await gateway.StopAsync();

        GatewayUnderTest.ShouldBalance(gateway.Ledger);
        gateway.Ledger.Rejects.ShouldBe(new Dictionary<string, long> { ["bad_header"] = 2, ["wrong_type"] = 1 }, ignoreOrder: true);
        (await gateway.LinesUnderAsync("raw/seq/")).ShouldBe([
            """{"sensor":"m","t":"2013-07-04T00:00:00Z","value":69.5}""", """{"sensor":"m","t":"2013-07-04T01:00:00Z","value":70}"""]);
    }

    [Fact]
    public async Task A_record_too_far_ahead_is_rejected_and_moves_no_watermark()
    {
        var stream = GatewayUnderTest.Seq with { Limits = new() { MaxAhead = TimeSpan.FromHours(1) } };
        await using var gateway = await GatewayUnderTest.StartAsync(GatewayUnderTest.Options(_folder.FullName, stream));
        using var sender = await gateway.ConnectAsync();
        await sender.SendAsync(Sender.Line(1, "9999-01-01T00:00:00Z") + "\n");
        await sender.AcknowledgedAsync(1);
        gateway.Ledger.Rejects.ShouldBe(new Dictionary<string, long> { ["too_far_ahead"] = 1 });
        gateway.Ledger.Windows.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_record_too_far_behind_is_rejected_and_opens_no_window()
    {
        var stream = GatewayUnderTest.Seq with { Limits = GatewayUnderTest.Seq.Limits with { MaxBehind = TimeSpan.FromDays(365) } };
        var time = new ManualTime(new(2026, 1, 2, 0, 0, 0, TimeSpan.Zero));
        await using var gateway = await GatewayUnderTest.StartAsync(GatewayUnderTest.Options(_folder.FullName, stream), time: time);
        using var sender = await gateway.ConnectAsync();
        await sender.SendAsync(Sender.Line(1, "2025-01-01T23:59:59Z") + "\n" + Sender.Line(2, "2025-01-02T00:00:00Z") + "\n" + Sender.Line(3, "0001-01-01T00:00:00Z") + "\n");
        await sender.AcknowledgedAsync(3);
        gateway.Ledger.Rejects.ShouldBe(new Dictionary<string, long> { ["too_far_behind"] = 2 });
        gateway.Ledger.Windows.ShouldBe(new Dictionary<string, long> { ["2025-01-02T00"] = 1 });
    }

    [Fact]
    public async Task A_record_that_would_open_one_window_too_many_is_rejected_until_another_is_sealed()
    {
        var stream = GatewayUnderTest.Seq with { Limits = GatewayUnderTest.Seq.Limits with { MaxOpenWindows = 2 } };
        await using var gateway = await GatewayUnderTest.StartAsync(GatewayUnderTest.Options(_folder.FullName, stream));
        using var sender = await gateway.ConnectAsync();
        await sender.SendAsync(string.Concat(new[] { "10:00", "11:00", "10:30", "12:00", "11:59" }.Select((t, i) => Sender.Line(i, $"2026-01-01T{t}:00Z") + "\n")));
        await sender.AcknowledgedAsync(5);
        gateway.Ledger.Rejects.ShouldBe(new Dictionary<string, long> { ["too_many_windows"] = 1 });

        // The watermark is past 10 o'clock by then, so that window is sealed and makes room.
        (await gateway.NextPublishedAsync()).Window.Value.ShouldBe("2026-01-01T10");
        for (long frames = 6, records = gateway.Ledger.Records; gateway.Ledger.Records == records; frames++)
        {
            await sender.SendAsync(Sender.Line(frames, "2026-01-01T12:00:00Z") + "\n");
            await sender.AcknowledgedAsync(frames);
        }
        gateway.Ledger.Windows.Keys.ShouldBe(["2026-01-01T10", "2026-01-01T11", "2026-01-01T12"]);
    }

    [Fact]
    public async Task Health_and_ledger_are_served_over_HTTP()
    {
        await using var gateway = await GatewayUnderTest.StartAsync(GatewayUnderTest.Options(_folder.FullName, GatewayUnderTest.Seq));
        using var http = new HttpClient { BaseAddress = new($"http://{gateway.Endpoints.Http}") };
        (await http.GetStringAsync("/healthz")).ShouldBe("""{"status":"ok","reasons":{}}""");
        (await http.GetStringAsync("/v1/ledger")).ShouldBe("""["seq"]""");
        JsonSerializer.Deserialize(await http.GetStringAsync("/v1/ledger/seq"), ContractsJson.Default.Ledger)!.Records.ShouldBe(0);
        (await http.GetAsync("/v1/ledger/none")).StatusCode.ShouldBe(System.Net.HttpStatusCode.NotFound);
    }
}
