using System.Text;
using System.Text.Json;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.EndToEnd.Gateway;

/// <summary>
/// The real program, killed with SIGKILL at random moments while two senders with sequence numbers and acknowledgements send. LEANPIPE_TEST_KILLS says how often (300 in CI; 10000 for a night),
/// LEANPIPE_TEST_SEED repeats a run; LEANPIPE_TEST_GATEWAY names the LeanPipe.Gateway.dll of a published gateway, which starts faster than the one beside the tests.
/// </summary>
public sealed class CrashTests : IDisposable
{
    static readonly int Kills = Number("LEANPIPE_TEST_KILLS") ?? (Environment.GetEnvironmentVariable("CI") == "true" ? 300 : 12);
    static readonly int Seed = Number("LEANPIPE_TEST_SEED") ?? Random.Shared.Next();

    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("leanpipe-kill-");
    Random _random = new();
    int _kills;
    int _seed;

    public void Dispose() => _folder.Delete(recursive: true);

    string Lake => Path.Combine(_folder.FullName, "lake");

    /// <summary>A round ends with everything settled and looked through; what it looks through grows with its kills. It is a test of its own, with a test's deadline.</summary>
    const int KillsInARound = 100;

    /// <summary>Seed and kills of each.</summary>
    public static TheoryData<int, int> Rounds
    {
        get
        {
            var rounds = new TheoryData<int, int>();
            for (var killed = 0; killed < Kills; killed += KillsInARound) rounds.Add(unchecked(Seed + killed), Math.Min(KillsInARound, Kills - killed));
            return rounds;
        }
    }

    [Theory, MemberData(nameof(Rounds), DisableDiscoveryEnumeration = true)]
    public async Task However_often_it_is_killed_every_acknowledged_record_is_in_the_lake_once_and_none_is_there_twice(int seed, int kills)
    {
        (_seed, _kills, _random) = (seed, kills, new(seed));
        TestContext.Current.TestOutputHelper!.WriteLine($"LEANPIPE_TEST_SEED={seed}, {kills} kills");
        var stop = TestContext.Current.CancellationToken;
        await using var sidecar = await TakingSidecar.StartAsync();
        Configure("durable", "durable", sealWhenIdle: "30d");
        Configure("kept", "stored", sealWhenIdle: "30d");
        CountingSender[] senders = [new("durable", seed + 1), new("kept", seed + 2)];
        for (var kill = 0; kill < kills; kill++) await LiveAsync(senders, sidecar.Endpoint, stop);
        // Where kills came faster than acknowledgements, a life that lasts until there are enough to speak of.
        if (!senders.All(HasEnough)) await LiveAsync(senders, sidecar.Endpoint, stop, () => senders.All(HasEnough));

        // What was acknowledged as stored is in the lake without any help of the log.
        var kept = senders[1];
        Missing(kept.Acknowledged, await NumbersAsync("raw/kept/", RecordOf)).ShouldBeEmpty($"seed {seed}: acknowledged as stored");
        Missing(kept.Refused, await NumbersAsync("rejected/kept/", RejectOf)).ShouldBeEmpty($"seed {seed}: acknowledged as stored");

        Configure("durable", "durable", sealWhenIdle: "200ms");
        Configure("kept", "stored", sealWhenIdle: "200ms");
        await SettleAsync(sidecar, stop);
        foreach (var sender in senders) await ShouldHaveAllAsync(sender, sidecar);
    }

    bool HasEnough(CountingSender sender) => sender.Acknowledged.Count > _kills * 2;

    /// <summary>One process from its start to its violent end.</summary>
    /// <param name="until">Asked at every acknowledgement; null lets chance decide.</param>
    async Task LiveAsync(CountingSender[] senders, Uri sidecar, CancellationToken stop, Func<bool>? until = null)
    {
        using var gateway = GatewayProgram.Start(_folder.FullName, sidecar);
        var (kind, after) = until is null ? (_random.Next(10), _random.Next(1, 60)) : (-1, 0);
        using var watcher = kind switch
        {
            // In the middle of starting, rolling, uploading, sealing.
            0 => Watch(Path.Combine(_folder.FullName, "log"), after % 3 + 1, gateway.Kill),
            1 or 2 => Watch(Path.Combine(_folder.FullName, "log"), after, gateway.Kill),
            3 or 4 => Watch(Path.Combine(Lake, "raw"), after, gateway.Kill),
            5 => Watch(Path.Combine(Lake, "windows"), after % 4 + 1, gateway.Kill),
            _ => null,
        };
        if (kind == 9 && after < 15) gateway.Kill();
        if (await gateway.ListensAsync(senders.Length, stop))
        {
            var left = watcher is null ? after : 400;
            await Task.WhenAll(senders.Select(s => s.RunAsync(gateway.Ports[s.Stream], () => { if (until?.Invoke() ?? Interlocked.Decrement(ref left) == 0) gateway.Kill(); }, stop)));
        }
        gateway.Kill();
        await gateway.EndAsync(stop);
    }

    static FileSystemWatcher Watch(string folder, int changes, Action then)
    {
        Directory.CreateDirectory(folder);
        var watcher = new FileSystemWatcher(folder) { IncludeSubdirectories = true, NotifyFilter = NotifyFilters.FileName };
        void Changed(object _, FileSystemEventArgs e)
        {
            if (Interlocked.Decrement(ref changes) == 0) then();
        }
        watcher.Created += Changed;
        watcher.Deleted += Changed;
        watcher.EnableRaisingEvents = true;
        return watcher;
    }

    /// <summary>A gateway that is left in peace seals every window; then it ends in order.</summary>
    async Task SettleAsync(TakingSidecar sidecar, CancellationToken stop)
    {
        using var gateway = GatewayProgram.Start(_folder.FullName, sidecar.Endpoint);
        (await gateway.ListensAsync(2, stop)).ShouldBeTrue();
        while (await RowsAsync("raw/") > (await NewestAsync("durable")).Concat(await NewestAsync("kept")).Sum(m => m.Rows) || (await PendingAsync(sidecar)).Any())
            await sidecar.NextAsync(stop);
        gateway.Terminate();
        (await gateway.EndAsync(stop)).ShouldContain("Drained: 0 bytes");
        gateway.ExitCode.ShouldBe(0);
    }

    async Task ShouldHaveAllAsync(CountingSender sender, TakingSidecar sidecar)
    {
        var because = $"seed {_seed}, stream {sender.Stream}, {sender.Acknowledged.Count} of {sender.Sent} acknowledged";
        var records = await NumbersAsync($"raw/{sender.Stream}/", RecordOf);
        var rejects = await NumbersAsync($"rejected/{sender.Stream}/", RejectOf);
        Missing(sender.Acknowledged, records).ShouldBeEmpty($"lost: {because}");
        Missing(sender.Refused, rejects).ShouldBeEmpty($"lost: {because}");
        records.Count.ShouldBe(records.Distinct().Count(), $"doubled: {because}");
        rejects.Count.ShouldBe(rejects.Distinct().Count(), $"doubled: {because}");
        HasEnough(sender).ShouldBeTrue(because);

        var newest = await NewestAsync(sender.Stream);
        var listed = newest.SelectMany(m => m.Segments).ToList();
        listed.Count.ShouldBe(listed.Select(s => s.Key).Distinct().Count(), because);
        listed.Sum(s => s.Rows).ShouldBe(records.Count, because);
        foreach (var manifest in newest)
            for (var revision = 1; revision <= manifest.Revision; revision++)
                sidecar.Events.ShouldContain(new WindowSealed(manifest.Stream, manifest.Window, revision, LakeLayout.WindowManifest(manifest.Stream, manifest.Window, revision)), because);

        var ledger = (await Store.GetJsonAsync($"ledger/{sender.Stream}/gateway-0.json", ContractsJson.Default.Ledger, default)).ShouldNotBeNull();
        (ledger.Records, ledger.Rejects.Values.Sum()).ShouldBe((records.Count, rejects.Count), because);
        ledger.BytesReceived.ShouldBe(ledger.BytesFramed + ledger.BytesRejected + ledger.BytesPartial, because);
    }

    IObjectStore Store => field ??= ObjectStores.Open(new() { Root = Lake });

    async Task<List<WindowManifest>> NewestAsync(string stream)
    {
        var newest = new Dictionary<string, string>();
        await foreach (var item in Store.ListAsync($"windows/{stream}/", default)) newest[item.Key[..item.Key.LastIndexOf('/')]] = item.Key;
        var manifests = new List<WindowManifest>();
        foreach (var key in newest.Values) manifests.Add((await Store.GetJsonAsync(key, ContractsJson.Default.WindowManifest, default))!);
        return manifests;
    }

    /// <summary>Manifests whose event nobody has seen yet.</summary>
    async Task<IEnumerable<string>> PendingAsync(TakingSidecar sidecar)
    {
        var keys = new List<string>();
        await foreach (var item in Store.ListAsync("windows/", default)) keys.Add(item.Key);
        return keys.Except(sidecar.Events.Select(e => e.Manifest));
    }

    async Task<long> RowsAsync(string prefix) => (await NumbersAsync(prefix, RecordOf)).Count;

    async Task<List<long>> NumbersAsync(string prefix, Func<JsonElement, long> number)
    {
        var numbers = new List<long>();
        await foreach (var item in Store.ListAsync(prefix, default))
            foreach (var line in Encoding.UTF8.GetString((await Store.GetAsync(item.Key, default))!.Value.Span).Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                try
                {
                    using var document = JsonDocument.Parse(line);
                    numbers.Add(number(document.RootElement));
                }
                catch (JsonException e)
                {
                    throw new InvalidDataException($"The object '{item.Key}' has a line that is none: {line}. Seed {_seed}.", e);
                }
            }
        return numbers;
    }

    static long RecordOf(JsonElement record) => record.GetProperty("seq").GetInt64();

    static long RejectOf(JsonElement reject)
    {
        using var frame = JsonDocument.Parse(reject.GetProperty("raw_base64").GetBytesFromBase64());
        return frame.RootElement.GetProperty("seq").GetInt64();
    }

    static IEnumerable<long> Missing(HashSet<long> acknowledged, List<long> found) => acknowledged.Except(found).Order().Take(10);

    void Configure(string stream, string ack, string sealWhenIdle)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_folder.FullName, "config", "streams"));
        File.WriteAllText(Path.Combine(folder.FullName, $"{stream}.yaml"), $$"""
            stream: {{stream}}
            listen: 127.0.0.1:0
            schema:
              fields:
                seq: int64
                t: timestamp
            event_time: t
            window: 1m
            lateness: 1m
            seal_when_idle_for: {{sealWhenIdle}}
            ack: {{ack}}
            limits: { cut_at: 1KB, cut_after: 1s, max_behind: 36500d, max_ahead: 36500d }
            """);
    }

    static int? Number(string variable) => int.TryParse(Environment.GetEnvironmentVariable(variable), out var number) ? number : null;
}
