using LeanPipe.Contracts;
using LeanPipe.Orchestrator;

namespace LeanPipe.Unit.Orchestrator;

public sealed class FanOutTests
{
    static readonly TaskLimits Limits = new();

    [Theory]
    [InlineData("rows", "raw/a,raw/b|raw/c|raw/d,raw/e")]
    [InlineData("files", "raw/a,raw/b|raw/c,raw/d|raw/e")]
    [InlineData("window", "raw/a,raw/b,raw/c,raw/d,raw/e")]
    public void Whole_objects_are_shared_out_by_rows_by_number_or_by_window(string kind, string shares)
    {
        FanOutDefinition fanOut = kind switch { "rows" => new RowsFanOut(130), "files" => new FilesFanOut(2), _ => new WindowFanOut() };
        Shares(Plan(fanOut, new StreamInput(Samples.Telemetry))).ShouldBe(shares);
    }

    [Fact]
    public void A_range_of_windows_is_read_whole_and_fans_out_by_window()
    {
        var input = new StreamInput(Samples.Telemetry, TimeSpan.FromHours(3));
        PinnedWindow Before(string key) => new($"windows/{key}", Samples.Manifest with { Segments = key == "empty" ? [] : [Samples.Object(key, 1)] });
        var before = new Dictionary<StreamInput, IReadOnlyList<PinnedWindow>> { [input] = [Before("early"), Before("empty")] };
        Shares(Plan(new WindowFanOut(), input, before)).ShouldBe("early|raw/a,raw/b,raw/c,raw/d,raw/e");
        Shares(Plan(new FanInDefinition(), input, before)).ShouldBe("early,raw/a,raw/b,raw/c,raw/d,raw/e");
    }

    [Fact]
    public void Two_sides_of_a_join_are_read_by_the_same_buckets_and_one_that_has_none_there_is_empty()
    {
        var pipeline = new PipelineDefinition
        {
            Name = new("p"),
            Steps =
            [
                Samples.Step("a", []),
                Samples.Step("b", []),
                Samples.Step("j", new() { ["x"] = new StepInput(new("a")), ["y"] = new StepInput(new("b")) }, new HashFanOut("x", "k", 8, ["l"], [new("y", ["m", "n"])])),
            ],
        };
        var plan = Samples.Plan(pipeline with { Params = [new("min", ParamType.Int64, "1")] });
        plan.Steps.Select(s => s.Output.Hash?.Columns).ShouldBe([["k", "l"], ["m", "n"], null]);
        var committed = new Dictionary<StepName, StepManifest> { [new("a")] = Samples.Committed("a", Chunk("a1", 1), Chunk("a3", 3)), [new("b")] = Samples.Committed("b", Chunk("b3", 3), Chunk("b4", 4)) };
        TaskPlanner.Plan(plan, plan.Steps[2], committed, Limits).Select(t => string.Join(' ', t.Inputs.Select(i => $"{i.Name}:{string.Join(',', i.Objects.Select(o => o.Key))}")))
            .ShouldBe(["x:a1 y:", "x:a3 y:b3", "x: y:b4"]);
    }

    [Fact]
    public void A_heavy_bucket_is_shared_out_and_merged_and_the_others_are_left_alone()
    {
        var pipeline = new PipelineDefinition
        {
            Name = new("p"),
            Params = [new("min", ParamType.Int64, "1")],
            Steps =
            [
                Samples.Step("a", []),
                Samples.Step("j", new() { ["x"] = new StepInput(new("a")) }, new HashFanOut("x", "k", 8) { Merge = "SELECT 1 FROM parts", SplitAbove = 50 }) with { Checks = [new("c", "SELECT 0", 0)], Publish = new(new("t")) },
            ],
        };
        var plan = Samples.Plan(pipeline);
        plan.Steps.Select(s => $"{s.Name} needs {string.Join(',', s.Needs)} publishes {s.Publish?.Table}").ShouldBe(["a needs  publishes ", "j-parts needs a publishes ", "j needs j-parts publishes t"]);
        var a = Samples.Committed("a", [.. Enumerable.Range(0, 4).Select(n => new Chunk(Samples.Object($"b1-{n}", 40), 1)), .. Enumerable.Range(2, 4).Select(b => new Chunk(Samples.Object($"b{b}", 10), b))]);
        var committed = new Dictionary<StepName, StepManifest> { [new("a")] = a };
        var tasks = TaskPlanner.Plan(plan, plan.Steps[1], committed, Limits);
        Shares(tasks).ShouldBe("b1-0|b1-1|b1-2|b1-3|b2|b3|b4|b5");
        tasks.Select(t => t.Checks.Count).ShouldBe([0, 0, 0, 0, 1, 1, 1, 1]);

        var outcomes = tasks.Select(t => new TaskOutcome
        {
            Run = t.Run,
            Step = t.Step,
            Task = t.Task,
            Attempt = 1,
            Columns = [new("k", "BIGINT")],
            Chunks = [new(Samples.Object($"part {t.Inputs[0].Objects[0].Key}", 1))],
            Timings = new(),
            Engine = "e",
            StartedAt = Samples.Noon,
        }).ToList();
        var merge = TaskPlanner.PlanMerge(plan, plan.Steps[2], BucketShares.Of(plan.Steps[1], committed), outcomes, Limits).ShouldHaveSingleItem();
        merge.Inputs.ShouldHaveSingleItem().Objects.Select(o => o.Key).ShouldBe(["part b1-0", "part b1-1", "part b1-2", "part b1-3"]);
        (merge.Sql, merge.Checks.Count, merge.Step.Value, merge.Task.Index).ShouldBe(("SELECT 1 FROM parts", 1, "j", 0));
    }

    [Theory]
    [InlineData("imports/a/*.csv", "imports/a/1.csv", true)]
    [InlineData("imports/a/*.csv", "imports/a/b/1.csv", false)]
    [InlineData("imports/**/1?.csv", "imports/a/b/12.csv", true)]
    [InlineData("imports/**/1?.csv", "imports/12.csv", true)]
    [InlineData("imports/a.csv", "imports/a.csv", true)]
    [InlineData("imports/a.csv", "imports/aXcsv", false)]
    public void A_pattern_matches_keys(string pattern, string key, bool matches) => new KeyPattern(pattern).Matches(key).ShouldBe(matches);

    [Fact]
    public void A_schedule_is_over_the_window_that_ended_last()
    {
        var now = new DateTimeOffset(2026, 3, 1, 0, 10, 0, TimeSpan.Zero);
        ScheduleJobs.WindowBefore(now, WindowSize.Hour).Value.ShouldBe("2026-02-28T23");
        ScheduleJobs.WindowBefore(now, WindowSize.Day).Value.ShouldBe("2026-02-28");
        ScheduleJobs.WindowBefore(now, new(TimeSpan.FromMinutes(5))).Value.ShouldBe("2026-03-01T0005");
    }

    [Fact]
    public void The_plan_of_ten_thousand_tasks_has_every_object_once()
    {
        var manifest = Samples.Manifest with { Segments = [.. Enumerable.Range(0, 10_000).Select(n => Samples.Object($"raw/{n:D5}", 100))] };
        var plan = RunPlanner.Plan(Samples.Sources() with { Windows = new Dictionary<StreamName, PinnedWindow> { [Samples.Telemetry] = new("windows/w", manifest) } }).Plan.ShouldNotBeNull();
        var tasks = TaskPlanner.Plan(plan, plan.Steps[0], new Dictionary<StepName, StepManifest>(), Limits);
        tasks.Count.ShouldBe(10_000);
        tasks.SelectMany(t => t.Inputs[0].Objects).Select(o => o.Key).Distinct().Count().ShouldBe(10_000);
    }

    static IReadOnlyList<TaskSpec> Plan(FanOutDefinition fanOut, StreamInput input, Dictionary<StreamInput, IReadOnlyList<PinnedWindow>>? before = null)
    {
        var pipeline = new PipelineDefinition { Name = new("p"), Steps = [Samples.Step("s", new() { ["raw"] = input }, fanOut)], Params = [new("min", ParamType.Int64, "1")] };
        var sources = Samples.Sources(pipeline);
        var plan = RunPlanner.Plan(before is null ? sources : sources with { Before = before }).Plan.ShouldNotBeNull();
        return TaskPlanner.Plan(plan, plan.Steps[0], new Dictionary<StepName, StepManifest>(), Limits);
    }

    static string Shares(IReadOnlyList<TaskSpec> tasks) => string.Join('|', tasks.Select(t => string.Join(',', t.Inputs[0].Objects.Select(o => o.Key))));

    static Chunk Chunk(string key, int bucket) => new(Samples.Object(key, 1), bucket);
}
