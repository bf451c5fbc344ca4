using System.Text.Json;
using LeanPipe.Contracts;
using LeanPipe.Orchestrator;

namespace LeanPipe.Unit.Orchestrator;

public sealed class PipelineWorkflowTests
{
    static readonly JsonSerializerOptions Web = new(JsonSerializerDefaults.Web);
    static readonly RunRequest Request = new(new("p"), Samples.Window);

    readonly Dictionary<string, int> _tasks = [];
    readonly List<StepNode> _steps = [];
    Failure? _planFailure;
    Func<TaskTicket, Failure?> _task = _ => null;
    Func<string, string, object?> _override = (_, _) => null;

    [Fact]
    public async Task Steps_start_when_what_they_need_is_committed_and_tables_come_last()
    {
        Graph(("a", []), ("b", [0]), ("c", [0]), ("d", [1, 2]));
        var context = Context();
        var summary = await RunAsync(context);
        summary.ShouldSatisfyAllConditions(s => s.Steps.ShouldBe(4), s => s.Published.ShouldHaveSingleItem().Table.Value.ShouldBe("d"));
        Text(context).ShouldBe(
        [
            "plan", "plan-step a", "run-task a0", "commit-step a", "plan-step b", "plan-step c", "run-task b0", "run-task c0", "commit-step b", "commit-step c", "plan-step d",
            "run-task d0", "commit-step d", "publish d", "finish",
        ]);
    }

    [Fact]
    public async Task A_failed_task_ends_the_run_with_its_step_and_its_message_and_publishes_nothing()
    {
        Graph(("a", []), ("b", [0]), ("c", [1]));
        _tasks["b"] = 3;
        _task = t => t is { Step.Value: "b", Task: 1 } ? new("sql.error", "Binder Error: no column 'x'", t.Step, t.Task) : null;
        var context = Context();
        var e = await Should.ThrowAsync<RunFailedException>(() => RunAsync(context));
        e.Message.ShouldBe("Step 'b', task 00001: Binder Error: no column 'x' [sql.error]");
        e.Code.ShouldBe("sql.error");
        Text(context).ShouldBe(["plan", "plan-step a", "run-task a0", "commit-step a", "plan-step b", "run-task b0", "run-task b1", "run-task b2", "finish"]);
        context.Calls[^1].Input.ShouldContain("Binder Error");
    }

    [Fact]
    public async Task After_a_failure_a_step_beside_it_is_finished_but_nothing_new_starts()
    {
        Graph(("a", []), ("b", []), ("c", [1]));
        _task = t => t.Step.Value == "a" ? new("check.failed", "no", t.Step, t.Task) : null;
        var context = Context();
        await Should.ThrowAsync<RunFailedException>(() => RunAsync(context));
        Text(context).ShouldBe(["plan", "plan-step a", "plan-step b", "run-task a0", "run-task b0", "commit-step b", "finish"]);
    }

    [Fact]
    public async Task A_run_that_cannot_be_planned_is_recorded_and_fails_with_everything_that_is_wrong()
    {
        _planFailure = new("plan.invalid", "one\ntwo");
        var context = Context();
        (await Should.ThrowAsync<RunFailedException>(() => RunAsync(context))).Message.ShouldBe("one\ntwo [plan.invalid]");
        Text(context).ShouldBe(["plan", "finish"]);
    }

    [Fact]
    public async Task A_run_without_a_place_asks_again_when_it_is_told_or_after_a_while_that_grows()
    {
        Graph(("a", []));
        var asked = 0;
        _override = (name, _) => name == WorkflowNames.Plan && ++asked < 5 ? new PlanReply([], Position: 5 - asked) : null;
        var context = Context();
        context.Events.Enqueue(false);
        context.Events.Enqueue(true);
        await RunAsync(context);
        context.Calls.Where(c => c.Name.StartsWith("wait", StringComparison.Ordinal)).Select(c => c.Input).ShouldBe(["00:01:00", "00:02:00", "00:04:00", "00:08:00"]);
        context.Calls.Count(c => c.Name == WorkflowNames.Finish).ShouldBe(1);
    }

    [Fact]
    public async Task A_timeout_asks_for_the_end_of_the_run_and_one_that_ends_in_time_asks_for_nothing()
    {
        Graph(("a", []));
        var timeout = new PlanReply(_steps, Timeout: TimeSpan.FromHours(2));
        _override = (name, _) => name == WorkflowNames.Plan ? timeout : null;
        var context = Context();
        _task = t =>
        {
            context.Timers.ShouldHaveSingleItem().Delay.ShouldBe(TimeSpan.FromHours(2));
            context.Timers[0].Fired.SetResult();
            return new("run.timed_out", "too long");
        };
        (await Should.ThrowAsync<RunFailedException>(() => RunAsync(context))).Code.ShouldBe("run.timed_out");
        context.Calls.Select(c => c.Name).ShouldContain(WorkflowNames.Cancel);

        _task = _ => null;
        var inTime = Context();
        await RunAsync(inTime);
        inTime.Timers.ShouldHaveSingleItem().Fired.Task.IsCanceled.ShouldBeTrue();
        inTime.Calls.Select(c => c.Name).ShouldNotContain(WorkflowNames.Cancel);
    }

    [Fact]
    public async Task A_committed_step_runs_nothing()
    {
        Graph(("a", []), ("b", [0]));
        _override = (name, input) => name == WorkflowNames.PlanStep && input.Contains("\"a\"", StringComparison.Ordinal) ? new StepReply(5, Committed: true) : null;
        var context = Context();
        await RunAsync(context);
        Text(context).ShouldBe(["plan", "plan-step a", "plan-step b", "run-task b0", "commit-step b", "publish b", "finish"]);
    }

    [Fact]
    public async Task An_activity_that_fails_after_all_its_retries_fails_the_run_and_the_record_says_so()
    {
        Graph(("a", []), ("b", []));
        _override = (name, input) => name == WorkflowNames.CommitStep && input.Contains("\"a\"", StringComparison.Ordinal) ? throw new ActivityFault("the store is away") : null;
        var context = Context();
        var e = await Should.ThrowAsync<RunFailedException>(() => RunAsync(context));
        e.Message.ShouldContain("Step 'a'");
        e.Message.ShouldContain("the store is away");
        Text(context)[^1].ShouldBe("finish");
    }

    [Theory]
    [InlineData("bad id!", "{\"pipeline\":\"p\",\"window\":\"2026-01-01\"}", "run.bad_id")]
    [InlineData("r", "{\"pipeline\":\"p\"}", "run.bad_request")]
    [InlineData("r", "{}", "run.bad_request")]
    [InlineData("r", "null", "run.bad_request")]
    public async Task What_the_http_api_lets_through_is_refused_before_anything_is_called(string instance, string body, string code)
    {
        var context = new ScriptedContext(instance, AnswerAsync);
        var request = JsonSerializer.Deserialize<RunRequest>(body, Web)!;
        (await Should.ThrowAsync<RunFailedException>(() => context.RunAsync(c => new PipelineWorkflow().RunAsync(c, request)))).Code.ShouldBe(code);
        context.Calls.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(100, 0)]
    [InlineData(101, 2)]
    [InlineData(1_000, 10)]
    [InlineData(10_001, 2)]
    public async Task A_large_fan_out_is_nested_so_that_every_history_stays_small(int tasks, int children)
    {
        Graph(("a", []));
        _tasks["a"] = tasks;
        var ran = new HashSet<int>();
        _task = t => ran.Add(t.Task) ? null : throw new InvalidOperationException($"task {t.Task} ran twice");
        var context = Context();
        await RunAsync(context);
        ran.Count.ShouldBe(tasks);
        context.Children.Count.ShouldBe(children);
        // An event costs about 200 bytes beside its payload, and every call is two events.
        foreach (var history in All(context)) (history.PayloadBytes + history.Calls.Count * 2 * 200).ShouldBeLessThan(128 * 1024);
    }

    [Theory]
    [InlineData(40, 7)]
    [InlineData(250, 4)]
    public async Task No_more_tasks_are_asked_for_at_a_time_than_the_step_was_planned_with(int tasks, int atOnce)
    {
        Graph(("a", []));
        _override = (name, _) => name == WorkflowNames.PlanStep ? new StepReply(tasks, Committed: false, AtOnce: atOnce) : null;
        var asked = 0;
        _task = _ =>
        {
            asked++;
            return null;
        };
        var context = Context();
        var most = 0;
        context.Answering = () => most = Math.Max(most, All(context).Sum(c => c.Calls.Count(x => x.Name == WorkflowNames.RunTask)) - asked);
        await RunAsync(context);
        asked.ShouldBe(tasks);
        most.ShouldBeLessThanOrEqualTo(atOnce);
        most.ShouldBeGreaterThan(1);
    }

    [Fact]
    public async Task After_a_failed_task_no_further_one_of_its_step_is_asked_for()
    {
        Graph(("a", []));
        _override = (name, _) => name == WorkflowNames.PlanStep ? new StepReply(50, Committed: false, AtOnce: 3) : null;
        _task = t => t.Task == 4 ? new("sql.error", "no", t.Step, t.Task) : null;
        var context = Context();
        (await Should.ThrowAsync<RunFailedException>(() => RunAsync(context))).Message.ShouldStartWith("Step 'a', task 00004");
        Text(context).Count(c => c.StartsWith("run-task", StringComparison.Ordinal)).ShouldBe(7);
    }

    [Fact]
    public async Task A_record_that_cannot_be_written_for_good_fails_the_run()
    {
        Graph(("a", []));
        _override = (name, _) => name == WorkflowNames.Finish ? new Reply(new("lake.corrupt", "run.json is damaged")) : null;
        (await Should.ThrowAsync<RunFailedException>(() => RunAsync(Context()))).Code.ShouldBe("lake.corrupt");
    }

    [Fact]
    public async Task A_failure_in_a_nested_task_reaches_the_run()
    {
        Graph(("a", []));
        _tasks["a"] = 250;
        _task = t => t.Task >= 249 ? new("sql.error", "no", t.Step, t.Task) : null;
        (await Should.ThrowAsync<RunFailedException>(() => RunAsync(Context()))).Message.ShouldBe("Step 'a', task 00249: no [sql.error]");
    }

    [Fact]
    public void A_person_may_write_parameters_as_numbers_and_truth_values()
    {
        const string body = """{"pipeline":"p","window":"2026-01-01T10","params":{"min":5,"factor":1.50,"all":true,"kind":"x"}}""";
        var request = JsonSerializer.Deserialize<RunRequest>(body, Web).ShouldNotBeNull();
        request.Params.ShouldBe(new Dictionary<string, string> { ["all"] = "true", ["factor"] = "1.50", ["kind"] = "x", ["min"] = "5" }, ignoreOrder: true);
        JsonSerializer.Serialize(request, ContractsJson.Default.RunRequest)
            .ShouldBe("""{"pipeline":"p","window":"2026-01-01T10","params":{"all":"true","factor":"1.50","kind":"x","min":"5"}}""");
        Should.Throw<JsonException>(() => JsonSerializer.Deserialize<RunRequest>("""{"pipeline":"p","window":"2026-01-01","params":{"min":[5]}}""", Web)).Message.ShouldContain("'min'");
    }

    [Fact]
    public void A_long_message_is_cut_for_the_history() => new Failure("sql.error", new('x', 100_000)).Message.Length.ShouldBeLessThan(2100);

    void Graph(params (string Name, int[] Needs)[] steps) => _steps.AddRange(steps.Select((s, n) => new StepNode(new(s.Name), s.Needs, n == steps.Length - 1)));

    ScriptedContext Context() => new ScriptedContext("r", AnswerAsync).WithChild(WorkflowNames.Tasks, new TasksWorkflow());

    static Task<RunSummary> RunAsync(ScriptedContext context) => context.RunAsync(c => new PipelineWorkflow().RunAsync(c, Request));

    Task<object?> AnswerAsync(string name, string input)
    {
        if (_override(name, input) is { } answer) return Task.FromResult<object?>(answer);
        T Read<T>() => JsonSerializer.Deserialize<T>(input, Web)!;
        return Task.FromResult<object?>(name switch
        {
            WorkflowNames.Plan => new PlanReply(_planFailure is null ? _steps : [], _planFailure),
            WorkflowNames.PlanStep => new StepReply(_tasks.GetValueOrDefault(Read<StepTicket>().Step.Value, 1), Committed: false),
            WorkflowNames.RunTask => new Reply(_task(Read<TaskTicket>())),
            WorkflowNames.Publish => new PublishReply(new(new(Read<StepTicket>().Step.Value), 1, 10)),
            _ => new Reply(),
        });
    }

    static IEnumerable<ScriptedContext> All(ScriptedContext context) => [context, .. context.Children.SelectMany(All)];

    static IReadOnlyList<string> Text(ScriptedContext context) => [.. context.Calls.Select(c => c.Name switch
    {
        WorkflowNames.Plan or WorkflowNames.Finish => c.Name,
        _ when c.Name.StartsWith("wait", StringComparison.Ordinal) => c.Name,
        WorkflowNames.RunTask when JsonSerializer.Deserialize<TaskTicket>(c.Input, Web) is { } t => $"run-task {t.Step}{t.Task}",
        _ => $"{c.Name} {JsonDocument.Parse(c.Input).RootElement.GetProperty("step").GetString()}",
    })];
}
