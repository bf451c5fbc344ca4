using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.RegularExpressions;
using LeanPipe.Contracts;
using LeanPipe.Housekeeping;
using LeanPipe.Integration.Housekeeping;
using LeanPipe.Lake;
using LeanPipe.Tables;

namespace LeanPipe.Integration.Orchestrator;

/// <summary>kill -9 of the orchestrator, the sidecar and step runners, at random, through one run. On a laptop a short one; with CI=true fifty kills through two hundred tasks.</summary>
public sealed partial class RandomKillTests
{
    static readonly bool Long = Environment.GetEnvironmentVariable("CI") == "true";
    static readonly int Segments = Long ? 192 : 40;
    static readonly int Kills = Long ? 50 : 10;

    const string Yaml = """
        pipeline: p
        steps:
          one:
            inputs: { raw: { stream: telemetry } }
            fan_out: { files: 1 }
            sql: one.sql
            retries: 20
          two:
            inputs: { t: one }
            fan_out: { hash: t.sensor_id, buckets: 7 }
            sql: two.sql
            retries: 20
          three:
            inputs: { t: two }
            sql: three.sql
            retries: 20
            publish: { table: totals }
        """;

    [Fact]
    public async Task A_run_ends_with_every_row_once_whatever_dies_meanwhile()
    {
        await using var lab = await OrchestratorLab.StartSidecarAsync(
            Yaml, ("one.sql", "SELECT sensor_id, value FROM raw"), ("two.sql", "SELECT sensor_id, count(*) AS n, count(DISTINCT value) AS different, sum(value) AS total FROM t GROUP BY ALL"),
            ("three.sql", "SELECT sensor_id, n, different, total FROM t"));
        await lab.SealAsync("2026-01-01T10", 1, [.. Enumerable.Range(0, Segments).Select(n => (IReadOnlyList<(string, double)>)[($"s{n % 5}", n)])]);
        var seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        using var service = new Services(lab);
        await service.StartRunAsync("r1");

        var (killed, completed) = (0, false);
        while (!completed)
        {
            var launches = killed < Kills ? random.Next(1, 4) : int.MaxValue;
            var (process, ended) = await service.LaunchedAsync(launches);
            completed = ended;
            if (completed) break;
            killed++;
            await service.KillAsync(random.Next(4) switch { 0 => Victim.Orchestrator, 1 => Victim.Sidecar, _ => Victim.Step }, process);
        }

        killed.ShouldBe(Kills, "the run ended before the last kill: the test does not test what it says");
        var expected = Enumerable.Range(0, Segments).GroupBy(n => n % 5).Select(g => $"s{g.Key} {g.Count()} {g.Count()} {g.Sum()}");
        (await lab.RowsAsync("totals", "SELECT sensor_id, n, different, total")).ShouldBe(expected);
        // The run gives its place up after it has said that it is over.
        await lab.UntilAsync(async () => !await lab.Store.ListAsync("index/queue/", default).AnyAsync());
        await NothingIsLeftAsync(lab.Store);
        (await lab.RowsAsync("totals", "SELECT sensor_id, n, different, total")).ShouldBe(expected);
    }

    /// <summary>After two sweeps, a day apart, every object of the run is one that its documents name or that tells what the run was, and every file of the table is one of its newest version's.</summary>
    static async Task NothingIsLeftAsync(IObjectStore store)
    {
        var keys = await KeysAsync(store);
        TestContext.Current.TestOutputHelper?.WriteLine($"{keys.Count} objects before the sweeps");
        var policy = new HousekeepingPolicy { Runs = null, Cache = null, Attempts = TimeSpan.Zero, TableVersions = TimeSpan.Zero, CompactToBytes = null };
        for (var day = 1; day <= 2; day++)
            (await HousekeepingPass.RunAsync(store, policy, null, null, new(), new SetTime(DateTimeOffset.UtcNow.AddDays(day * 2)), default)).Problems.ShouldBeEmpty();

        keys = await KeysAsync(store);
        TestContext.Current.TestOutputHelper?.WriteLine($"{keys.Count} objects after them");
        var named = new HashSet<string>();
        foreach (var key in keys.Where(k => k.EndsWith("/commit.json", StringComparison.Ordinal)))
        {
            var commit = (await store.GetJsonAsync(key, ContractsJson.Default.TaskCommit, default)).ShouldNotBeNull();
            var outcome = (await store.GetJsonAsync(commit.Outcome, ContractsJson.Default.TaskOutcome, default)).ShouldNotBeNull();
            named.UnionWith([commit.Outcome, $"{commit.Outcome[..commit.Outcome.LastIndexOf('/')]}/started.json", .. outcome.Chunks.Select(c => c.Object.Key)]);
        }
        string[] told = ["plan.json", "run.json", "commit.json", "tasks.ndjson", "manifest.json"];
        keys.Where(k => k.StartsWith(LakeLayout.Runs, StringComparison.Ordinal) && !told.Contains(k.Split('/')[^1]) && TaskSheetKey.Of(k) is null && !named.Contains(k)).ShouldBeEmpty();
        var live = (await DeltaTable.OpenAsync(store, new("totals"), default)).ShouldNotBeNull().Files.Select(f => f.Key).ToHashSet();
        keys.Where(k => k.StartsWith("tables/totals/", StringComparison.Ordinal) && !k.Contains("/_delta_log/", StringComparison.Ordinal) && !live.Contains(k)).ShouldBeEmpty();
        keys.Where(k => k.StartsWith("index/queue/", StringComparison.Ordinal) || k.StartsWith("cache/probe", StringComparison.Ordinal)).ShouldBeEmpty();
    }

    static async Task<IReadOnlyList<string>> KeysAsync(IObjectStore store) => await store.ListAsync("", default).Select(o => o.Key).ToListAsync();

    enum Victim
    {
        Orchestrator,
        Sidecar,
        Step,
    }

    /// <summary>The two programs, each started again when it was killed, over the same folders and ports.</summary>
    sealed class Services : IDisposable
    {
        readonly OrchestratorLab _lab;
        readonly int _http = FreePort.Next();
        readonly int _grpc = FreePort.Next();
        readonly string _state;
        Process _sidecar;
        Process _orchestrator;

        public Services(OrchestratorLab lab)
        {
            (_lab, _state) = (lab, Directory.CreateTempSubdirectory("leanpipe-kills-").FullName);
            _sidecar = StartSidecar();
            _orchestrator = StartOrchestrator();
        }

        public async Task StartRunAsync(string run)
        {
            using var http = new HttpClient { BaseAddress = new($"http://127.0.0.1:{_http}") };
            await _lab.UntilAsync(async () =>
            {
                try
                {
                    using var answer = await http.PostAsJsonAsync($"/v1.0/workflows/dapr/pipeline/start?instanceID={run}", new { pipeline = "p", window = "2026-01-01T10" });
                    return answer.IsSuccessStatusCode;
                }
                catch (HttpRequestException)
                {
                    return false;
                }
            });
        }

        /// <summary>Waits for so many step runners, or for the run's end.</summary>
        /// <returns>The last one's process id.</returns>
        public async Task<(int Process, bool Completed)> LaunchedAsync(int launches)
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(5));
            while (await _orchestrator.StandardOutput.ReadLineAsync(limit.Token) is { } line)
            {
                if (line.Contains("Run r1: completed", StringComparison.Ordinal)) return (0, true);
                line.ShouldNotContain("Run r1: failed");
                if (Launched().Match(line) is { Success: true } match && --launches == 0) return (int.Parse(match.Groups["pid"].Value, CultureInfo.InvariantCulture), false);
            }
            throw new InvalidOperationException("the orchestrator ended by itself");
        }

        public async Task KillAsync(Victim victim, int step)
        {
            switch (victim)
            {
                case Victim.Orchestrator:
                    await EndAsync(_orchestrator);
                    _orchestrator = StartOrchestrator();
                    break;
                case Victim.Sidecar:
                    await EndAsync(_sidecar);
                    _sidecar = StartSidecar();
                    break;
                default:
                    try
                    {
                        using var process = Process.GetProcessById(step);
                        process.Kill();
                    }
                    catch (Exception e) when (e is ArgumentException or InvalidOperationException)
                    {
                        // It was quicker than the killer.
                        break;
                    }
                    break;
            }
        }

        public void Dispose()
        {
            foreach (var process in (Process[])[_orchestrator, _sidecar])
            {
                process.Kill();
                process.WaitForExit();
                process.Dispose();
            }
            Directory.Delete(_state, recursive: true);
        }

        Process StartSidecar()
        {
            var process = KillTests.Start(_lab, "LeanPipe.Sidecar.dll", _grpc, "--dapr-http-port", $"{_http}", "--dapr-grpc-port", $"{_grpc}", "--state-directory", _state);
            _ = process.StandardOutput.ReadToEndAsync();
            return process;
        }

        Process StartOrchestrator() => KillTests.Start(_lab, "LeanPipe.Orchestrator.dll", _grpc);

        static async Task EndAsync(Process process)
        {
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }
    }

    [GeneratedRegex("Attempt r1/.*: process (?<pid>[0-9]+)", RegexOptions.ExplicitCapture)]
    private static partial Regex Launched();
}
