using LeanPipe.Contracts;
using LeanPipe.Housekeeping;
using LeanPipe.Integration.Gateway;
using LeanPipe.Lake;

namespace LeanPipe.Integration.Housekeeping;

/// <summary>Frames as they came leave the lake by their own retention, and only when all that they became is there.</summary>
public sealed class FrameRetentionTests : IDisposable
{
    static readonly StreamDefinition Stream = GatewayUnderTest.Seq with { Validation = ValidationMode.After };

    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("leanpipe-frames-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Frames_go_when_they_are_old_and_all_that_they_became_is_stored()
    {
        var lake = await FilledAsync();
        var frames = await FramesAsync(lake);
        frames.Count.ShouldBeGreaterThan(1);
        (await SweepAsync(lake, TimeSpan.FromDays(60))).ShouldBe(0);
        (await SweepAsync(lake, null)).ShouldBe(0);

        // A ledger that knows of the first segment only.
        var key = LakeLayout.Ledger(Stream.Name, "gateway-0");
        var ledger = (await lake.GetJsonAsync(key, ContractsJson.Default.Ledger, default))!;
        var second = long.Parse(Path.GetFileNameWithoutExtension(frames[1])[^20..]);
        ledger.StoredFrames!.SettledUpTo.ShouldBeGreaterThan(second);
        await lake.PutAsync(key, System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(ledger with { StoredFrames = ledger.StoredFrames with { SettledUpTo = second } }, ContractsJson.Default.Ledger), default);
        (await SweepAsync(lake, TimeSpan.FromDays(30))).ShouldBe(1);
        (await FramesAsync(lake)).ShouldBe(frames.Skip(1));

        await lake.PutAsync(key, System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(ledger, ContractsJson.Default.Ledger), default);
        await SweepAsync(lake, TimeSpan.FromDays(30));
        (await FramesAsync(lake)).ShouldBeEmpty();
    }

    async Task<IObjectStore> FilledAsync()
    {
        var options = GatewayUnderTest.Options(_folder.FullName, Stream);
        foreach (var line in new[] { Sender.Line(1), "bad", Sender.Line(2) })
        {
            await using var gateway = await GatewayUnderTest.StartAsync(options);
            using var sender = await gateway.ConnectAsync();
            await sender.SendAsync(line + "\n");
            await sender.FinishAsync();
            await gateway.Host.DrainAsync(seal: true, GatewayUnderTest.Timeout());
        }
        return ObjectStores.Open(options.Lake);
    }

    static async Task<int> SweepAsync(IObjectStore lake, TimeSpan? kept)
    {
        var time = new ManualTime(DateTimeOffset.UtcNow.AddDays(45));
        return (await HousekeepingPass.RunAsync(lake, new() { Frames = kept, Rejected = null }, [], null, new() { ClockIsRight = true }, time, default)).Removals.Count(r => r.Rule == "frames");
    }

    static async Task<List<string>> FramesAsync(IObjectStore lake)
    {
        var keys = new List<string>();
        await foreach (var item in lake.ListAsync(LakeLayout.FramesOf(Stream.Name), default)) keys.Add(item.Key);
        return keys;
    }
}
