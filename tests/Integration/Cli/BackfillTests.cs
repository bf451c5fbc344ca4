using System.Collections.Concurrent;
using System.Text.Json;
using LeanPipe.Contracts;
using LeanPipe.Integration.Orchestrator;
using LeanPipe.Lake;
using LeanPipe.Orchestrator;

namespace LeanPipe.Integration.Cli;

/// <summary>`leanpipe backfill` as a program of its own, against a sidecar and an orchestrator that run.</summary>
public sealed class BackfillTests
{
    const string Yaml = """
        pipeline: p
        trigger: { sealed: telemetry }
        steps:
          one: { inputs: { raw: { stream: telemetry } }, sql: one.sql, publish: { table: totals } }
        """;

    static readonly (string, string) Sql = ("one.sql", "SELECT CAST(sensor_id AS BIGINT) AS sensor, value FROM raw");

    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Current_windows_are_skipped_and_one_that_fails_stops_no_other_and_is_named_at_the_end()
    {
        await using var lab = await OrchestratorLab.StartAsync(Yaml, Sql);
        lab.WriteStream();
        for (var hour = 0; hour < 6; hour++) await lab.SealAsync(Hour(hour), 1, [(hour == 3 ? "three" : $"{hour}", hour)]);
        (await lab.RunAsync("p-2026-01-01T01-r1", new { pipeline = "p", window = Hour(1) })).RuntimeStatus.ShouldBe(Dapr.Workflow.WorkflowRuntimeStatus.Completed);

        var (code, output) = await RunAsync(lab, "--from", Hour(0), "--to", Hour(5), "--parallel", "2");

        code.ShouldBe(1, output);
        var lines = output.Split('\n');
        lines[..5].Select(l => l[..3]).ShouldBe(["1/5", "2/5", "3/5", "4/5", "5/5"]);
        lines[..5].Select(l => l[5..]).Order(StringComparer.Ordinal).ShouldBe(
            Enumerable.Range(0, 5).Select(h => $"{Hour(h)}  {(h == 1 ? "current" : h == 3 ? "failed" : "completed")}  p-{Hour(h)}-r1"));
        lines[5].ShouldBe("5 windows: 1 current, 3 run, 1 failed.");
        lines[6].ShouldStartWith("failed: window 2026-01-01T03, run p-2026-01-01T03-r1: ");
        lines[6].ShouldContain("three");
        (await lab.RowsAsync("totals", "SELECT sensor")).ShouldBe(["0", "1", "2", "4"]);

        // Late data and a corrected document make windows that are not current any more; the rest is.
        await lab.SealAsync(Hour(2), 2, [("2", 2), ("22", 2)]);
        var (_, again) = await RunAsync(lab, "--from", Hour(0), "--to", Hour(5), "-o", "json");
        Windows(again).ShouldBe(["2026-01-01T00 1 current", "2026-01-01T01 1 current", "2026-01-01T02 2 completed", "2026-01-01T03 1 failed", "2026-01-01T04 1 current"]);
        lab.Write("one.sql", "SELECT try_cast(sensor_id AS BIGINT) AS sensor, value FROM raw");
        var (done, all) = await RunAsync(lab, "--from", "2026-01-01", "--to", "2026-01-02", "-o", "json", "--parallel", "6");
        done.ShouldBe(0, all);
        Windows(all).ShouldAllBe(w => w.EndsWith(" completed", StringComparison.Ordinal));
        (await RunAsync(lab, "--from", "2026-01-01", "--to", "2026-01-02")).Output.ShouldContain("6 windows: 6 current, 0 run, 0 failed.");
        (await lab.RowsAsync("totals", "SELECT count(*), count(sensor)")).ShouldBe(["7 6"]);
    }

    [Fact]
    public async Task A_window_in_which_the_rows_of_other_parameters_stand_is_not_current()
    {
        await using var lab = await OrchestratorLab.StartAsync("params: { factor: { type: float64, default: 1 } }\n" + Yaml, ("one.sql", "SELECT sensor_id, value * getvariable('factor') AS value FROM raw"));
        lab.WriteStream();
        for (var hour = 0; hour < 2; hour++) await lab.SealAsync(Hour(hour), 1, [("a", 1 + hour)]);
        string[] range = ["--from", Hour(0), "--to", Hour(9)];
        (await RunAsync(lab, range)).Output.ShouldContain("2 windows: 0 current, 2 run, 0 failed.");
        (await lab.RowsAsync("totals", "SELECT value")).ShouldBe(["1", "2"]);

        (await lab.RunAsync("by-hand", new { pipeline = "p", window = Hour(1), @params = new { factor = 10 } })).RuntimeStatus.ShouldBe(Dapr.Workflow.WorkflowRuntimeStatus.Completed);
        (await lab.RowsAsync("totals", "SELECT value")).ShouldBe(["1", "20"]);

        Windows((await RunAsync(lab, [.. range, "-o", "json"])).Output).ShouldBe(["2026-01-01T00 1 current", "2026-01-01T01 1 completed"]);
        (await lab.RowsAsync("totals", "SELECT value")).ShouldBe(["1", "2"]);
        (await RunAsync(lab, range)).Output.ShouldContain("2 windows: 2 current, 0 run, 0 failed.");
        // The other way round, and back: whose rows stand is what counts, not who ran before.
        (await RunAsync(lab, [.. range, "--param", "factor=10"])).Output.ShouldContain("2 windows: 0 current, 2 run, 0 failed.");
        (await lab.RowsAsync("totals", "SELECT value")).ShouldBe(["10", "20"]);
        (await RunAsync(lab, range)).Output.ShouldContain("2 windows: 0 current, 2 run, 0 failed.");
        (await lab.RowsAsync("totals", "SELECT value")).ShouldBe(["1", "2"]);
    }

    [Fact]
    public async Task So_many_runs_are_under_way_at_a_time_as_are_asked_for()
    {
        var (entered, most, pairs) = (0, 0, new ConcurrentQueue<TaskCompletionSource>());
        await using var lab = await StartAsync(async _ =>
        {
            lock (pairs) most = Math.Max(most, ++entered);
            // The first of two waits for the second: one at a time would wait for ever.
            var other = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            lock (pairs)
            {
                if (pairs.TryDequeue(out var first))
                {
                    first.SetResult();
                    other.SetResult();
                }
                else pairs.Enqueue(other);
            }
            await other.Task.WaitAsync(TimeSpan.FromMinutes(2), Token);
            lock (pairs) entered--;
        });
        for (var hour = 0; hour < 4; hour++) await lab.SealAsync(Hour(hour), 1, [($"{hour}", hour)]);
        (await RunAsync(lab, "--from", Hour(0), "--to", Hour(9), "--parallel", "2")).Output.ShouldContain("4 windows: 0 current, 4 run, 0 failed.");
        most.ShouldBe(2);
    }

    [Fact]
    public async Task A_backfill_that_was_killed_goes_on_when_it_is_started_again()
    {
        var (entered, go, launched) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), new TaskCompletionSource(), new ConcurrentBag<string>());
        await using var lab = await StartAsync(async attempt =>
        {
            launched.Add(attempt.Run.Value);
            if (attempt.Run.Value != $"p-{Hour(1)}-r1") return;
            entered.TrySetResult();
            await go.Task;
        });
        for (var hour = 0; hour < 3; hour++) await lab.SealAsync(Hour(hour), 1, [($"{hour}", hour)]);
        using (var killed = LeanPipeProcess.Begin(Home(lab), Arguments(lab, "--from", Hour(0), "--to", Hour(9))))
        {
            await entered.Task.WaitAsync(TimeSpan.FromMinutes(2), Token);
            await killed.KillAsync();
        }
        using var next = LeanPipeProcess.Begin(Home(lab), Arguments(lab, "--from", Hour(0), "--to", Hour(9)));
        await next.UntilAsync("1/3  2026-01-01T00  current");
        go.SetResult();
        (await next.EndAsync()).ShouldBe(0, next.Output);
        launched.Order(StringComparer.Ordinal).ShouldBe(Enumerable.Range(0, 3).Select(h => $"p-{Hour(h)}-r1"), "what is under way is waited for, not started again");
    }

    static string Hour(int hour) => $"2026-01-01T{hour:D2}";

    static string Home(OrchestratorLab lab) => Path.GetDirectoryName(lab.Config)!;

    static string[] Arguments(OrchestratorLab lab, params string[] more) => ["backfill", "p", "--sidecar", lab.Dapr.BaseAddress!.ToString(), .. more];

    static Task<(int Code, string Output)> RunAsync(OrchestratorLab lab, params string[] more) => LeanPipeProcess.RunAsync(Home(lab), Arguments(lab, more));

    static IEnumerable<string> Windows(string json)
    {
        using var document = JsonDocument.Parse(json);
        return [.. document.RootElement.EnumerateArray().Select(w => $"{w.GetProperty("window")} {w.GetProperty("revision")} {w.GetProperty("state")}")];
    }

    static async Task<OrchestratorLab> StartAsync(Func<TaskAttempt, Task> task)
    {
        var lab = await OrchestratorLab.StartAsync(store => new HeldLauncher(store, task), Yaml, Sql);
        lab.WriteStream();
        return lab;
    }

    /// <summary>Tasks without rows, which end when the test lets them.</summary>
    sealed class HeldLauncher(IObjectStore store, Func<TaskAttempt, Task> hold) : ILauncher
    {
        public async Task<LaunchEnd> RunAsync(TaskAttempt attempt, Action<string> output, CancellationToken cancel)
        {
            await hold(attempt);
            var outcome = new TaskOutcome
            {
                Run = attempt.Run,
                Step = attempt.Step,
                Task = attempt.Task,
                Attempt = attempt.Attempt,
                Columns = [new("sensor", "BIGINT")],
                Timings = new(),
                Engine = "none",
                StartedAt = DateTimeOffset.UnixEpoch,
            };
            await store.PutJsonAsync(LakeLayout.Outcome(attempt.Run, attempt.Step, attempt.Task, attempt.Attempt), outcome, ContractsJson.Default.TaskOutcome, Token);
            return new(0, false, "");
        }

        public Task<LaunchEnd?> AttachAsync(TaskAttempt attempt) => Task.FromResult<LaunchEnd?>(null);
    }
}
