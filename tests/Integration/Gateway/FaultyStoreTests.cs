using System.Collections.Concurrent;
using LeanPipe.Integration.Lake;
using LeanPipe.Lake;

namespace LeanPipe.Integration.Gateway;

/// <summary>A real S3 behind a proxy that fails.</summary>
public sealed class FaultyStoreTests : IDisposable
{
    static readonly int Seed = Environment.GetEnvironmentVariable("LEANPIPE_TEST_SEED") is { Length: > 0 } seed ? int.Parse(seed) : Random.Shared.Next();

    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("leanpipe-faulty-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Every_kind_of_failure_on_every_third_request_loses_and_doubles_nothing()
    {
        const int Frames = 1200;
        var random = new Random(Seed);
        var kinds = Enum.GetValues<Fault>().Where(f => f != Fault.None).ToArray();
        random.Shuffle(kinds);
        var met = new ConcurrentDictionary<Fault, int>();
        var (isFaulty, requests, faults) = (true, 0, 0);
        var options = await TestStore.S3OptionsAsync();
        await using var proxy = await FaultyProxy.StartAsync(options.Endpoint!, () =>
        {
            lock (kinds)
            {
                var fault = isFaulty && requests++ % 3 == 2 ? kinds[faults++ % kinds.Length] : Fault.None;
                met.AddOrUpdate(fault, 1, (_, n) => n + 1);
                return fault;
            }
        });
        var stream = GatewayUnderTest.Seq with { Limits = GatewayUnderTest.Seq.Limits with { CutAtBytes = 1024 } };
        var gatewayOptions = GatewayUnderTest.Options(_folder.FullName, stream) with
        {
            Buffers = GatewayUnderTest.Tiny with { PortionBytes = 64 },
            LogFileBytes = 4096,
            MaxLogBytes = 64 * 1024,
            StoreTimeout = TimeSpan.FromSeconds(1),
            DrainAtMost = TimeSpan.FromSeconds(30),
        };
        await using var gateway = await GatewayUnderTest.StartAsync(gatewayOptions, ObjectStores.Open(options with { Endpoint = proxy.Endpoint }));
        using (var sender = await gateway.ConnectAsync())
        {
            for (var i = 0; i < Frames; i++) await sender.SendAsync((i % 10 == 9 ? "{\"bad" : Sender.Line(i, $"2026-01-01T1{i * 4 / Frames}:00:00Z")) + "\n");
            await sender.AcknowledgedAsync(Frames);
        }
        for (var windows = 0; windows < 2; windows++) await gateway.NextPublishedAsync(TimeSpan.FromMinutes(5));
        isFaulty = false;
        await gateway.StopAsync();

        (await gateway.LinesUnderAsync("raw/")).Order().ShouldBe(Enumerable.Range(0, Frames).Where(i => i % 10 != 9).Select(i => Sender.Line(i, $"2026-01-01T1{i * 4 / Frames}:00:00Z")).Order(), $"seed {Seed}");
        (await gateway.LinesUnderAsync("rejected/")).Count.ShouldBe(Frames / 10, $"seed {Seed}");
        met.Count.ShouldBe(Enum.GetValues<Fault>().Length, $"seed {Seed}");
        GatewayUnderTest.ShouldBalance(gateway.Ledger);
    }

    [Fact]
    public async Task An_outage_of_a_minute_stops_reading_at_the_logs_bound_and_then_everything_arrives()
    {
        const int Frames = 10_000;
        var outage = TimeSpan.FromSeconds(Environment.GetEnvironmentVariable("CI") == "true" ? 60 : 3);
        var options = await TestStore.S3OptionsAsync();
        var (calls, isOver) = (0, false);
        await using var proxy = await FaultyProxy.StartAsync(options.Endpoint!, () => Volatile.Read(ref isOver) ? Fault.None : (Fault)(1 + Interlocked.Increment(ref calls) % 4));
        var stream = GatewayUnderTest.Seq with { Limits = GatewayUnderTest.Seq.Limits with { CutAtBytes = 32 * 1024, MaxUnsyncedBytes = 8 * 1024 } };
        var gatewayOptions = GatewayUnderTest.Options(_folder.FullName, stream) with { LogFileBytes = 16 * 1024, MaxLogBytes = 64 * 1024, Buffers = GatewayUnderTest.Tiny with { PortionBytes = 1024 }, StoreTimeout = TimeSpan.FromSeconds(1) };
        await using var gateway = await GatewayUnderTest.StartAsync(gatewayOptions, ObjectStores.Open(options with { Endpoint = proxy.Endpoint }));
        using var sender = await gateway.ConnectAsync();
        var sending = Task.Run(async () =>
        {
            for (var i = 0; i < Frames; i += 100) await sender.SendAsync(string.Concat(Enumerable.Range(i, 100).Select(n => Sender.Line(n) + "\n")));
        });
        using (var minute = new PeriodicTimer(outage)) await minute.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        await gateway.Health.WhenStopped("log_full").WaitAsync(GatewayUnderTest.Timeout());
        // Every look is a round trip.
        using (var http = new HttpClient { BaseAddress = new($"http://{gateway.Endpoints.Http}") })
            for (var limit = GatewayUnderTest.Timeout(); !gateway.Health.Reasons.ContainsKey("store_down");) (await http.GetAsync("/healthz", limit)).Dispose();
        gateway.Health.Reasons.Keys.ShouldContain("log_full");
        gateway.Host.Log!.Bytes.ShouldBeLessThan(gatewayOptions.MaxLogBytes + 4 * stream.Limits.MaxUnsyncedBytes);

        Volatile.Write(ref isOver, true);
        await sending;
        await sender.AcknowledgedAsync(Frames);
        await gateway.Health.WhenReading.WaitAsync(TimeSpan.FromMinutes(2));
        await gateway.StopAsync();
        (await gateway.LinesUnderAsync("raw/")).SequenceEqual(Enumerable.Range(0, Frames).Select(i => Sender.Line(i))).ShouldBeTrue();
    }
}
