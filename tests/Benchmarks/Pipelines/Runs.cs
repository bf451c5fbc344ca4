using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using LeanPipe.Contracts;
using LeanPipe.Lake;
using LeanPipe.Orchestrator;

namespace LeanPipe.Benchmarks.Pipelines;

/// <summary>How fast many small tasks go through a whole run, and how soon a wide step is planned.</summary>
static class Runs
{
    const int Tiny = 1000;
    const int Wide = 10_000;

    public static async Task<IReadOnlyList<Result>> MeasureAsync(StepProgram step, string work)
    {
        await using var lab = await RunsLab.StartAsync(step, Directory.CreateDirectory(Path.Combine(work, "runs")).FullName, """
            pipeline: p
            steps:
              one:
                inputs: { raw: { stream: telemetry } }
                fan_out: { bytes: 1B }
                sql: one.sql
              all:
                inputs: { parts: one }
                sql: all.sql
            """, limits: null, ("one.sql", "SELECT n FROM raw"), ("all.sql", "SELECT count(*) AS n FROM parts"));
        await SealAsync(lab.Store, "2026-01-01", Tiny);
        await SealAsync(lab.Store, "2026-01-02", Wide);

        var tiny = await lab.RunAsync("tiny", "2026-01-01");

        var began = Stopwatch.GetTimestamp();
        await lab.BeginAsync("wide", "2026-01-02");
        while (await lab.Events.ReadAsync() is not StepStarted { Run.Value: "wide" })
        {
        }
        var planned = Stopwatch.GetElapsedTime(began);
        while (await lab.Events.ReadAsync() is not TaskFinished { Run.Value: "wide" })
        {
        }
        return
        [
            new($"a run of {Tiny} tiny tasks, a process each, and their fan-in", "tasks", (Tiny + 1) / tiny.TotalSeconds, "tasks/s"),
            new($"a step of {Wide} tasks", "from the run's start to every task written", planned.TotalSeconds, "s"),
            new($"a step of {Wide} tasks", "from the run's start to the end of its first task", Stopwatch.GetElapsedTime(began).TotalSeconds, "s"),
        ];
    }

    /// <summary>A window of segments of one record each: <c>n</c> counts them.</summary>
    public static async Task SealAsync(IObjectStore store, string window, int segments)
    {
        var refs = new List<ObjectRef>();
        for (var n = 0; n < segments; n++)
        {
            var content = Encoding.UTF8.GetBytes($$"""{"n":{{n}}}""" + "\n");
            var key = LakeLayout.Segment(new("telemetry"), WindowId.Parse(window), $"s-{n:D6}");
            await store.PutAsync(key, content, default);
            refs.Add(new(key, content.Length, 1, Convert.ToHexStringLower(SHA256.HashData(content))));
        }
        var manifest = new WindowManifest
        {
            Stream = new("telemetry"),
            Window = WindowId.Parse(window),
            Revision = 1,
            SealedAt = DateTimeOffset.UnixEpoch,
            Reason = "watermark",
            Schema = "telemetry",
            Segments = refs,
            Columns = [new("n", "BIGINT", "BIGINT")],
        };
        await store.PutJsonAsync(LakeLayout.WindowManifest(manifest.Stream, manifest.Window, 1), manifest, ContractsJson.Default.WindowManifest, default);
    }
}
