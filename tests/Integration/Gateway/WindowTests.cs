using LeanPipe.Contracts;
using LeanPipe.Integration.Lake;

namespace LeanPipe.Integration.Gateway;

public sealed class WindowTests : IDisposable
{
    static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("leanpipe-windows-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task The_watermark_seals_a_window_and_late_records_make_the_next_revision_that_lists_all()
    {
        await using var gateway = await GatewayUnderTest.StartAsync(GatewayUnderTest.Options(_folder.FullName, GatewayUnderTest.Seq));
        using var sender = await gateway.ConnectAsync();
        await sender.SendAsync(Sender.Line(1) + "\n" + Sender.Line(2, "2026-01-01T11:04:59.999Z") + "\n");
        await sender.AcknowledgedAsync(2);
        await sender.SendAsync(Sender.Line(3, "2026-01-01T11:05:00Z") + "\n");

        var first = await gateway.NextPublishedAsync();
        first.ShouldBe(new(new("seq"), WindowId.Parse("2026-01-01T10"), 1, "windows/seq/2026-01-01T10/000001.json"));
        var (manifest, lines) = await gateway.ReadAsync(first);
        lines.ShouldBe([Sender.Line(1)]);
        (manifest.Reason, manifest.Schema).ShouldBe(("watermark", "seq"));
        manifest.Columns.ShouldBe([new("seq", "BIGINT", "BIGINT"), new("t", "TIMESTAMPTZ", "TIMESTAMPTZ")]);

        await sender.SendAsync(Sender.Line(4, "2026-01-01T10:59:59Z") + "\n");
        var second = await gateway.NextPublishedAsync();
        second.Revision.ShouldBe(2);
        (manifest, lines) = await gateway.ReadAsync(second);
        lines.ShouldBe([Sender.Line(1), Sender.Line(4, "2026-01-01T10:59:59Z")]);
        manifest.Reason.ShouldBe("late");
        gateway.Ledger.Late.ShouldBe(1);
        GatewayUnderTest.ShouldBalance(gateway.Ledger);
    }

    [Fact]
    public async Task Late_records_of_a_window_that_the_ledger_has_added_up_build_on_its_revision_in_the_lake()
    {
        var stream = GatewayUnderTest.Seq with { Window = new(TimeSpan.FromMinutes(1)) };
        var options = GatewayUnderTest.Options(_folder.FullName, stream) with { RememberedWindows = 3 };
        string[][] rounds = [[.. Enumerable.Range(0, 12).Select(i => Sender.Line(i, $"2026-01-01T10:{i:D2}:00Z"))], [Sender.Line(99, "2026-01-01T10:01:30Z")]];
        foreach (var lines in rounds)
        {
            await using var gateway = await GatewayUnderTest.StartAsync(options);
            using (var sender = await gateway.ConnectAsync())
            {
                await sender.SendAsync(string.Concat(lines.Select(l => l + "\n")));
                await sender.AcknowledgedAsync(lines.Length);
                await sender.FinishAsync();
            }
            await gateway.Host.DrainAsync(seal: true, GatewayUnderTest.Timeout());
            for (var windows = 0; windows < lines.Length; windows++) await gateway.NextPublishedAsync();
            gateway.Ledger.Windows.Count.ShouldBeLessThan(8);
        }
        var lake = LeanPipe.Lake.ObjectStores.Open(options.Lake);
        var newest = await LeanPipe.Cli.Audits.Audit.NewestManifestsAsync(lake, stream.Name, default);
        (newest["2026-01-01T1001"].Revision, newest["2026-01-01T1001"].Rows, newest.Count).ShouldBe((2, 2, 12));
        var audit = await LeanPipe.Cli.Audits.Audit.ReadAsync(lake, stream.Name, default, read: true);
        audit.Breaks.ShouldBeEmpty();
        (audit.Balances, audit.Late, audit.Windows.Sum(w => w.Recorded)).ShouldBe((true, 1, 13));
    }

    [Fact]
    public async Task A_clock_that_is_set_back_keeps_no_window_open()
    {
        var time = new ManualTime(Noon);
        var stream = GatewayUnderTest.Seq with { SealWhenIdleFor = TimeSpan.FromMinutes(10) };
        await using var gateway = await GatewayUnderTest.StartAsync(GatewayUnderTest.Options(_folder.FullName, stream), time: time);
        using var sender = await gateway.ConnectAsync();
        await sender.SendAsync(Sender.Line(1) + "\n");
        await sender.AcknowledgedAsync(1);
        time.Set(TimeSpan.FromDays(-1));
        time.Advance(TimeSpan.FromMinutes(10));
        (await gateway.NextPublishedAsync()).Window.Value.ShouldBe("2026-01-01T10");
    }

    [Fact]
    public async Task A_silent_stream_seals_all_its_windows_though_a_connection_is_open()
    {
        var time = new ManualTime(Noon);
        var stream = GatewayUnderTest.Seq with { SealWhenIdleFor = TimeSpan.FromMinutes(10) };
        await using var gateway = await GatewayUnderTest.StartAsync(GatewayUnderTest.Options(_folder.FullName, stream), time: time);
        using var sender = await gateway.ConnectAsync();
        await sender.SendAsync(Sender.Line(1) + "\n" + Sender.Line(2, "2026-01-01T11:00:00Z") + "\n");
        await sender.AcknowledgedAsync(2);
        time.Advance(TimeSpan.FromMinutes(9.9));
        time.Advance(TimeSpan.FromMinutes(0.1));
        var sealedWindows = new[] { await gateway.NextPublishedAsync(), await gateway.NextPublishedAsync() };
        sealedWindows.Select(w => w.Window.Value).ShouldBe(["2026-01-01T10", "2026-01-01T11"]);
        (await gateway.ReadAsync(sealedWindows[1])).Manifest.Reason.ShouldBe("idle");

        await sender.SendAsync(Sender.Line(3, "2026-01-01T11:30:00Z") + "\n");
        await sender.AcknowledgedAsync(3);
        time.Advance(TimeSpan.FromMinutes(10));
        var again = await gateway.NextPublishedAsync();
        (again.Window.Value, again.Revision).ShouldBe(("2026-01-01T11", 2));
        (await gateway.ReadAsync(again)).Lines.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Windows_stay_open_over_a_drain_and_are_sealed_by_the_next_process()
    {
        var options = GatewayUnderTest.Options(_folder.FullName, GatewayUnderTest.Seq);
        await using (var gateway = await GatewayUnderTest.StartAsync(options))
        {
            using var sender = await gateway.ConnectAsync();
            await sender.SendAsync(Sender.Line(1) + "\n");
            await sender.AcknowledgedAsync(1);
            await sender.SendAsync(Sender.Line(2) + "\n" + "{\"half");
            await gateway.StopAsync();
            await sender.AcknowledgedAsync(2);
            (await gateway.LinesUnderAsync("raw/")).ShouldBe([Sender.Line(1), Sender.Line(2)]);
            (await gateway.LinesUnderAsync("windows/")).ShouldBeEmpty();
            gateway.Ledger.BytesPartial.ShouldBe(6);
        }
        await using (var gateway = await GatewayUnderTest.StartAsync(options))
        {
            using var sender = await gateway.ConnectAsync();
            await sender.SendAsync(Sender.Line(3) + "\n" + Sender.Line(4, "2026-01-01T12:00:00Z") + "\n");
            var window = await gateway.NextPublishedAsync();
            (await gateway.ReadAsync(window)).Lines.ShouldBe([Sender.Line(1), Sender.Line(2), Sender.Line(3)]);
            await sender.AcknowledgedAsync(2);
            gateway.Ledger.Connections.ShouldBe(2);
            gateway.Ledger.Records.ShouldBe(4);
        }
    }

    [Theory]
    [InlineData("00:01:00", "2026-01-01T10:00:59Z", "2026-01-01T10:06:00Z", "2026-01-01T1000", "raw/seq/date=2026-01-01/hour=10/minute=00/")]
    [InlineData("00:15:00", "2026-01-01T10:29:59Z", "2026-01-01T10:35:00Z", "2026-01-01T1015", "raw/seq/date=2026-01-01/hour=10/minute=15/")]
    [InlineData("1.00:00:00", "2026-01-01T23:59:59Z", "2026-01-02T00:05:00Z", "2026-01-01", "raw/seq/date=2026-01-01/")]
    public async Task A_window_is_as_long_as_the_document_says(string length, string first, string passing, string window, string prefix)
    {
        var stream = GatewayUnderTest.Seq with { Window = new(TimeSpan.Parse(length, System.Globalization.CultureInfo.InvariantCulture)) };
        await using var gateway = await GatewayUnderTest.StartAsync(GatewayUnderTest.Options(_folder.FullName, stream));
        using var sender = await gateway.ConnectAsync();
        await sender.SendAsync(Sender.Line(1, first) + "\n" + Sender.Line(2, passing) + "\n");
        var published = await gateway.NextPublishedAsync();
        published.Window.Value.ShouldBe(window);
        var (manifest, lines) = await gateway.ReadAsync(published);
        lines.ShouldBe([Sender.Line(1, first)]);
        manifest.Segments.ShouldAllBe(s => s.Key.StartsWith(prefix, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_stream_whose_document_is_gone_still_gets_its_windows_sealed()
    {
        var time = new ManualTime(Noon);
        var stream = GatewayUnderTest.Seq with { SealWhenIdleFor = TimeSpan.FromMinutes(7) };
        var options = GatewayUnderTest.Options(_folder.FullName, stream) with { LogFileBytes = 4096, MaxLogBytes = 1 << 20 };
        await using (var gateway = await GatewayUnderTest.StartAsync(options, time: time))
        {
            using var sender = await gateway.ConnectAsync();
            for (var i = 0; i < 60; i++) await sender.SendAsync(Sender.Line(i) + "\n");
            await sender.AcknowledgedAsync(60);
        }
        var other = options with { Streams = [GatewayUnderTest.Seq with { Name = new("other") }] };
        await using (var gateway = await GatewayUnderTest.StartAsync(other, time: time))
        {
            time.Advance(TimeSpan.FromMinutes(7));
            var (manifest, lines) = await gateway.ReadAsync(await gateway.NextPublishedAsync());
            (manifest.Stream.Value, manifest.Reason, lines.Count).ShouldBe(("seq", "idle", 60));
            manifest.Columns.Select(c => c.Name).ShouldBe(["seq", "t"]);
        }
    }

    [Fact]
    public async Task A_window_whose_manifest_was_damaged_does_not_keep_the_others_from_being_sealed_nor_the_log_from_being_truncated()
    {
        var time = new ManualTime(Noon);
        var options = GatewayUnderTest.Options(_folder.FullName, GatewayUnderTest.Seq) with { LogFileBytes = 4096, MaxLogBytes = 1 << 20 };
        await using var gateway = await GatewayUnderTest.StartAsync(options, time: time);
        using var sender = await gateway.ConnectAsync();
        await sender.SendAsync(Sender.Line(1) + "\n" + Sender.Line(2, "2026-01-01T11:30:00Z") + "\n");
        var first = await gateway.NextPublishedAsync();
        var manifest = (await gateway.Lake.GetAsync(first.Manifest, default))!.Value;
        await gateway.Lake.PutAsync(first.Manifest, "{"u8.ToArray(), default);

        await sender.SendAsync(Sender.Line(3) + "\n" + Sender.Line(4, "2026-01-01T12:30:00Z") + "\n");
        (await gateway.NextPublishedAsync()).Window.Value.ShouldBe("2026-01-01T11");
        gateway.Health.Reasons.Keys.ShouldContain("seal_failed");

        await gateway.Lake.PutAsync(first.Manifest, manifest, default);
        time.Advance(TimeSpan.FromMinutes(1));
        var second = await gateway.NextPublishedAsync();
        (second.Window.Value, second.Revision).ShouldBe(("2026-01-01T10", 2));
        (await gateway.ReadAsync(second)).Lines.ShouldBe([Sender.Line(1), Sender.Line(3)]);
    }

    [Fact]
    public async Task An_event_is_published_until_the_sidecar_takes_it_also_after_a_restart()
    {
        var options = GatewayUnderTest.Options(_folder.FullName, GatewayUnderTest.Seq);
        var refused = new TaskCompletionSource();
        await using (var gateway = await GatewayUnderTest.StartAsync(options, publish: _ =>
        {
            refused.TrySetResult();
            throw new HttpRequestException("no sidecar");
        }))
        {
            using var sender = await gateway.ConnectAsync();
            await sender.SendAsync(Sender.Line(1) + "\n" + Sender.Line(2, "2026-01-01T12:00:00Z") + "\n");
            await refused.Task.WaitAsync(GatewayUnderTest.Timeout());
        }
        await using (var gateway = await GatewayUnderTest.StartAsync(options))
        {
            (await gateway.NextPublishedAsync()).Revision.ShouldBe(1);
        }
    }

    [Fact]
    public async Task Two_gateways_of_one_stream_build_on_each_others_revisions()
    {
        var folder = _folder.FullName;
        var lake = GatewayUnderTest.Options(folder, GatewayUnderTest.Seq).Lake;
        WindowSealed last = null!;
        for (var i = 0; i < 3; i++)
        {
            var options = GatewayUnderTest.Options(Path.Combine(folder, $"{i}"), GatewayUnderTest.Seq) with { Lake = lake, Id = $"gateway-{i}" };
            await using var gateway = await GatewayUnderTest.StartAsync(options);
            using var sender = await gateway.ConnectAsync();
            await sender.SendAsync(Sender.Line(i) + "\n" + Sender.Line(10 + i, "2026-01-01T12:00:00Z") + "\n");
            last = await gateway.NextPublishedAsync();
            last.Revision.ShouldBe(i + 1);
            (await gateway.ReadAsync(last)).Lines.Order().ShouldBe(Enumerable.Range(0, i + 1).Select(n => Sender.Line(n)));
        }
    }

    [Fact]
    public async Task On_S3_a_window_and_its_late_revision_are_the_same_as_in_a_folder()
    {
        await using var s3 = await TestStore.S3Async();
        await using var gateway = await GatewayUnderTest.StartAsync(GatewayUnderTest.Options(_folder.FullName, GatewayUnderTest.Seq), s3.Store);
        using var sender = await gateway.ConnectAsync();
        await sender.SendAsync(Sender.Line(1) + "\n" + Sender.Line(2, "2026-01-01T12:00:00Z") + "\n");
        (await gateway.ReadAsync(await gateway.NextPublishedAsync())).Lines.ShouldBe([Sender.Line(1)]);
        await sender.SendAsync(Sender.Line(3) + "\n");
        var second = await gateway.NextPublishedAsync();
        second.Revision.ShouldBe(2);
        (await gateway.ReadAsync(second)).Lines.ShouldBe([Sender.Line(1), Sender.Line(3)]);
    }

    [Fact]
    public async Task A_segment_is_cut_at_its_size()
    {
        var stream = GatewayUnderTest.Seq with { Limits = GatewayUnderTest.Seq.Limits with { CutAtBytes = 500 } };
        var options = GatewayUnderTest.Options(_folder.FullName, stream) with { Buffers = GatewayUnderTest.Tiny with { PortionBytes = 128 } };
        await using var gateway = await GatewayUnderTest.StartAsync(options);
        using var sender = await gateway.ConnectAsync();
        for (var i = 0; i < 100; i++) await sender.SendAsync(Sender.Line(i) + "\n");
        await sender.SendAsync(Sender.Line(100, "2026-01-01T12:00:00Z") + "\n");
        var (manifest, lines) = await gateway.ReadAsync(await gateway.NextPublishedAsync());
        lines.ShouldBe(Enumerable.Range(0, 100).Select(i => Sender.Line(i)));
        manifest.Segments.Count.ShouldBeGreaterThan(3);
        manifest.Segments.SkipLast(1).ShouldAllBe(s => s.Bytes >= 500 && s.Bytes < 500 + 128);
    }
}
