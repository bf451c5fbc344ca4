using LeanPipe.Contracts;
using LeanPipe.Orchestrator;

namespace LeanPipe.Unit.Orchestrator;

public sealed class TaskPlannerTests
{
    static readonly TaskLimits Limits = new() { Threads = 1 };

    [Fact]
    public void Bytes_fan_out_groups_whole_objects_in_order_and_a_larger_object_stands_alone()
    {
        var plan = Samples.Plan();
        var tasks = TaskPlanner.Plan(plan, plan.Steps[0], new Dictionary<StepName, StepManifest>(), Limits);
        tasks.Select(t => string.Join(',', Keys(t, "raw"))).ShouldBe(["raw/a", "raw/b", "raw/c", "raw/d,raw/e"]);
        tasks.Select(t => t.Task.Index).ShouldBe([0, 1, 2, 3]);
        tasks.ShouldAllBe(t => t.Output.Hash == new HashBuckets("sensor_id", 4) && t.Limits == Limits && t.Params.Count == 2);
        tasks[0].Inputs.ShouldHaveSingleItem().Columns.ShouldBe(Samples.Manifest.Columns);
    }

    [Fact]
    public void Hash_fan_out_makes_a_task_per_bucket_that_has_rows_and_gives_every_task_the_other_inputs()
    {
        var compact = Samples.Committed("compact", Chunk("t0/b3", 3), Chunk("t0/b1", 1), Chunk("t1/b1", 1));
        var plan = Samples.Plan();
        var tasks = TaskPlanner.Plan(plan, plan.Steps[1], Of(compact), Limits);
        tasks.Select(t => string.Join(',', Keys(t, "t"))).ShouldBe(["t0/b1,t1/b1", "t0/b3"]);
        tasks.ShouldAllBe(t => Keys(t, "sensors").Single() == "tables/sensors/0.parquet");
        tasks[0].Inputs.Single(i => i.Name == "t").Columns.ShouldBe([new SegmentColumn("sensor_id", "VARCHAR", "VARCHAR")]);
    }

    [Fact]
    public void A_step_over_nothing_is_one_task_with_an_empty_view_that_has_columns()
    {
        var plan = Samples.Plan();
        var task = TaskPlanner.Plan(plan, plan.Steps[1], Of(Samples.Committed("compact")), Limits).ShouldHaveSingleItem();
        task.Inputs.Single(i => i.Name == "t").ShouldSatisfyAllConditions(i => i.Objects.ShouldBeEmpty(), i => i.Columns.Count.ShouldBe(1));
    }

    [Fact]
    public void Fan_in_is_one_task_over_every_chunk()
    {
        var plan = Samples.Plan();
        var task = TaskPlanner.Plan(plan, plan.Steps[2], Of(Samples.Committed("by_sensor", Chunk("x", null), Chunk("y", null))), Limits).ShouldHaveSingleItem();
        Keys(task, "parts").ShouldBe(["x", "y"]);
    }

    [Fact]
    public void A_chunk_without_a_bucket_is_refused_by_a_shuffle()
    {
        var plan = Samples.Plan();
        Should.Throw<LeanPipeException>(() => TaskPlanner.Plan(plan, plan.Steps[1], Of(Samples.Committed("compact", Chunk("x", null))), Limits))
            .Code.ShouldBe("plan.unbucketed_chunk");
    }

    [Fact]
    public void Planning_again_gives_equal_tasks()
    {
        var plan = Samples.Plan();
        string Text() => string.Join('\n', TaskPlanner.Plan(plan, plan.Steps[0], new Dictionary<StepName, StepManifest>(), Limits)
            .Select(t => System.Text.Json.JsonSerializer.Serialize(t, ContractsJson.Default.TaskSpec)));
        Text().ShouldBe(Text());
    }

    [Fact]
    public void Tasks_that_disagree_about_columns_are_not_one_dataset()
    {
        TaskOutcome Outcome(int task, string type) => new()
        {
            Run = Samples.Run,
            Step = new("compact"),
            Task = new(task),
            Attempt = 1,
            Columns = [new("v", type)],
            Timings = new(),
            Engine = "v1",
            StartedAt = Samples.Noon,
        };
        Should.Throw<LeanPipeException>(() => StepMerge.Merge(Samples.Run, new("compact"), [Outcome(0, "BIGINT"), Outcome(1, "DOUBLE")], Samples.Noon))
            .Message.ShouldContain("task 00001 yields (v DOUBLE), task 00000 yields (v BIGINT)");
    }

    static Chunk Chunk(string key, int? bucket) => new(Samples.Object(key, 10), bucket);

    static Dictionary<StepName, StepManifest> Of(StepManifest manifest) => new() { [manifest.Step] = manifest };

    static IEnumerable<string> Keys(TaskSpec task, string input) => task.Inputs.Single(i => i.Name == input).Objects.Select(o => o.Key);
}
