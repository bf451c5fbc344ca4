using LeanPipe.Contracts;
using LeanPipe.Lake;
using LeanPipe.Orchestrator;

namespace LeanPipe.Unit.Orchestrator;

public sealed class RunQueueTests : IDisposable
{
    static readonly PipelineName P = new("p");
    static readonly PipelineName Q = new("q");

    readonly Lab _lab = new();

    public void Dispose() => _lab.Dispose();

    [Fact]
    public async Task Runs_above_the_limit_wait_in_their_order_and_are_told_when_their_turn_comes()
    {
        var life = _lab.Begin(maxRuns: 2);
        foreach (var run in (string[])["a", "b"]) (await AdmitAsync(life, run, P)).ShouldBeNull();
        (await AdmitAsync(life, "c", P)).ShouldBe(1);
        (await AdmitAsync(life, "d", Q)).ShouldBe(2);
        (await AdmitAsync(life, "c", P)).ShouldBe(1);

        await life.Queue.LeaveAsync(new("a"), default);

        life.Instances.Woken.ShouldBe([new("c")]);
        (await AdmitAsync(life, "c", P)).ShouldBeNull();
        (await AdmitAsync(life, "d", Q)).ShouldBe(1);
    }

    [Fact]
    public async Task A_mark_that_is_damaged_holds_up_no_other_run_and_its_own_asks_again()
    {
        var first = _lab.Begin(maxRuns: 2);
        foreach (var run in (string[])["a", "b", "c", "d"]) await AdmitAsync(first, run, P);
        foreach (var mark in (await _lab.KeysAsync(LakeLayout.QueueRunning)).Concat(await _lab.KeysAsync(LakeLayout.QueueWaiting)).Where(k => k.EndsWith("a.json", StringComparison.Ordinal) || k.EndsWith("-c.json", StringComparison.Ordinal)))
            await _lab.Store.PutAsync(mark, "{\"run\":"u8.ToArray(), default);

        var second = _lab.Begin(maxRuns: 2);
        (await AdmitAsync(second, "d", P)).ShouldBeNull();
        (await AdmitAsync(second, "c", P)).ShouldBe(1);
        (await RunIndex.MarksAsync(_lab.Store, default)).ShouldSatisfyAllConditions(m => m.Waiting.ShouldBe([new("c")]), m => m.Running.Count.ShouldBe(3));
        await second.Queue.LeaveAsync(new("a"), default);
        await second.Queue.LeaveAsync(new("b"), default);
        (await AdmitAsync(second, "c", P)).ShouldBeNull();
        (await RunIndex.MarksAsync(_lab.Store, default)).ShouldSatisfyAllConditions(m => m.Waiting.ShouldBeEmpty(), m => m.Running.Count.ShouldBe(2));
    }

    [Fact]
    public async Task A_pipeline_at_its_own_limit_holds_up_no_other()
    {
        var life = _lab.Begin(maxRuns: 3);
        (await AdmitAsync(life, "p1", P, 1)).ShouldBeNull();
        (await AdmitAsync(life, "p2", P, 1)).ShouldBe(1);
        (await AdmitAsync(life, "q1", Q)).ShouldBeNull();
        (await AdmitAsync(life, "q2", Q)).ShouldBeNull();
        await life.Queue.LeaveAsync(new("q1"), default);
        life.Instances.Woken.ShouldBeEmpty();
        await life.Queue.LeaveAsync(new("p1"), default);
        life.Instances.Woken.ShouldBe([new("p2")]);
    }

    [Fact]
    public async Task A_new_life_knows_who_runs_and_who_waits()
    {
        var first = _lab.Begin(maxRuns: 1);
        (await AdmitAsync(first, "a", P)).ShouldBeNull();
        (await AdmitAsync(first, "b", P)).ShouldBe(1);

        var second = _lab.Begin(maxRuns: 1);
        (await AdmitAsync(second, "c", P)).ShouldBe(2);
        (await AdmitAsync(second, "a", P)).ShouldBeNull();
        (await RunIndex.MarksAsync(_lab.Store, default)).ShouldSatisfyAllConditions(
            m => m.PositionOf(new("b")).ShouldBe(1), m => m.PositionOf(new("c")).ShouldBe(2), m => m.Running.ShouldBe([new("a")]));
    }

    [Fact]
    public async Task A_run_that_ended_without_a_word_gives_up_its_place_to_who_waits()
    {
        var life = _lab.Begin(maxRuns: 1);
        (await AdmitAsync(life, "a", P)).ShouldBeNull();
        (await AdmitAsync(life, "b", P)).ShouldBe(1);
        (await AdmitAsync(life, "c", P)).ShouldBe(2);
        (await life.Lost.EndAsync(null, default)).ShouldBe(0);
        life.Instances.Ended.Add(new("a"));
        life.Instances.Ended.Add(new("b"));
        (await life.Lost.EndAsync(null, default)).ShouldBe(2);
        life.Instances.Woken.ShouldBe([new("c")]);
        (await AdmitAsync(life, "c", P)).ShouldBeNull();
        (await _lab.KeysAsync("index/queue/")).ShouldBe(["index/queue/running/c.json"]);
        foreach (var run in (RunId[])[new("a"), new("b")])
        {
            (await _lab.Store.GetJsonAsync(LakeLayout.RunRecord(run), ContractsJson.Default.RunRecord, default)).ShouldNotBeNull().ShouldSatisfyAllConditions(
                r => r.Status.ShouldBe(RunStatus.Cancelled), r => r.Error!.Code.ShouldBe("run.terminated"), r => r.Request.ShouldBe(new(P, Samples.Window)));
        }
    }

    [Fact]
    public async Task A_queued_run_is_listed_with_its_place()
    {
        var life = _lab.Begin(maxRuns: 1);
        await AdmitAsync(life, "a", P);
        await AdmitAsync(life, "b", P);
        (await new RunReader(_lab.Store).ListAsync(10, default)).ShouldHaveSingleItem().ShouldSatisfyAllConditions(
            l => l.Run.ShouldBe(new("b")), l => l.Status.ShouldBe(RunState.Queued), l => l.Position.ShouldBe(1));
        (await new RunReader(_lab.Store).FindAsync(new("b"), default)).ShouldNotBeNull().ShouldSatisfyAllConditions(v => v.Status.ShouldBe(RunState.Queued), v => v.Position.ShouldBe(1));
        (await new RunReader(_lab.Store).FindAsync(new("a"), default)).ShouldNotBeNull().Status.ShouldBe(RunState.Running);
    }

    static Task<int?> AdmitAsync(Life life, string run, PipelineName pipeline, int? maxRuns = null) => life.Queue.AdmitAsync(new(run), new(pipeline, Samples.Window), maxRuns, default);
}
