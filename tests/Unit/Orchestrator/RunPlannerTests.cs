using System.Text.Json;
using LeanPipe.Contracts;
using LeanPipe.Orchestrator;
using LeanPipe.Unit.Repository;

namespace LeanPipe.Unit.Orchestrator;

public sealed class RunPlannerTests
{
    [Fact]
    public void The_plan_of_the_sample_pipeline_is_the_golden_one()
    {
        var options = new JsonSerializerOptions(ContractsJson.Default.Options) { WriteIndented = true };
        var json = JsonSerializer.Serialize(Samples.Plan(), typeof(RunPlan), new ContractsJson(options)) + "\n";
        var golden = Path.Combine(Tree.Root, "tests", "golden", "orchestrator", "plan.json");
        if (Environment.GetEnvironmentVariable("LEANPIPE_WRITE_GOLDEN") == "true") File.WriteAllText(golden, json);
        json.ShouldBe(File.ReadAllText(golden));
        JsonSerializer.Deserialize(json, ContractsJson.Default.RunPlan).ShouldNotBeNull().Steps.Select(s => s.Name.Value).ShouldBe(["compact", "by_sensor", "hourly"]);
    }

    [Fact]
    public void Only_a_step_that_is_shuffled_over_writes_buckets()
    {
        var plan = Samples.Plan();
        plan.Steps.Select(s => s.Output.Hash).ShouldBe([new HashBuckets("sensor_id", 4), null, null]);
        plan.Steps.Select(s => s.BucketsOf).ShouldBe([null, "t", null]);
        plan.Steps.Select(s => s.BytesOf).ShouldBe(["raw", null, null]);
    }

    [Fact]
    public void A_run_takes_its_revision_from_the_manifest_of_its_leading_stream() => Samples.Plan().Revision.ShouldBe(2);

    [Fact]
    public void Everything_that_is_wrong_with_a_request_is_said_at_once()
    {
        var pipeline = Samples.Pipeline with
        {
            Steps =
            [
                .. Samples.Pipeline.Steps,
                Samples.Step("late", new() { ["x"] = new StreamInput(new("other")), ["y"] = new TableInput(new("nowhere")), ["z"] = new FileInput("gone.csv"), ["w"] = new FileInput("a.txt") })
                    with { Publish = new(new("temperatures_hourly")) },
            ],
        };
        RunPlanner.Plan(Samples.Sources(pipeline, Samples.Request(("knd", "x"), ("min", "many")))).Errors.ShouldBe(
        [
            "Parameter 'knd' is not one of pipeline 'telemetry-hourly', which has kind, min.",
            "Parameter 'min' is 'many': expected a whole number of 64 bits.",
            "Step 'late', input 'w': file 'a.txt' has an unknown ending: expected .csv, .ndjson, .jsonl or .parquet.",
            "Step 'late', input 'x': window 2026-01-01T10 of stream 'other' is not sealed yet, or the stream has no such window.",
            "Step 'late', input 'y': table 'nowhere' does not exist yet: publish it first.",
            "Step 'late', input 'z': file 'gone.csv' does not stand beside the pipeline document.",
            "Table 'temperatures_hourly' is published by the steps 'hourly' and 'late': only one of them may.",
        ]);
    }

    [Fact]
    public void A_missing_parameter_and_a_missing_revision_are_named()
    {
        var sources = Samples.Sources(request: Samples.Request(("kind", "Humidity")) with { Revision = 7 }) with { Windows = new Dictionary<StreamName, PinnedWindow>() };
        RunPlanner.Plan(sources).Errors.ShouldBe(
        [
            "Parameter 'min' has no default: give it with the run.",
            "Step 'compact', input 'raw': revision 7 of window 2026-01-01T10 of stream 'telemetry' is not in the lake.",
        ]);
    }

    [Fact]
    public void A_step_cannot_be_shuffled_over_in_two_ways()
    {
        var pipeline = Samples.Pipeline with
        {
            Steps = [.. Samples.Pipeline.Steps, Samples.Step("other", new() { ["c"] = new StepInput(new("compact")) }, new HashFanOut("c", "kind", 8))],
        };
        RunPlanner.Plan(Samples.Sources(pipeline)).Errors.ShouldHaveSingleItem().ShouldStartWith(
            "Step 'compact' would have to write 4 buckets of 'sensor_id' for step 'by_sensor' and 8 buckets of 'kind' for step 'other'");
    }

    [Fact]
    public void A_bytes_fan_out_over_several_inputs_must_name_the_one_that_is_split()
    {
        Dictionary<string, InputDefinition> inputs = new() { ["a"] = new StepInput(new("compact")), ["b"] = new StreamInput(Samples.Telemetry), ["c"] = new TableInput(Samples.Sensors) };
        PipelineDefinition With(BytesFanOut fanOut) => Samples.Pipeline with { Steps = [.. Samples.Pipeline.Steps, Samples.Step("joined", inputs, fanOut)] };

        RunPlanner.Plan(Samples.Sources(With(new(10)))).Errors.ShouldBe(["Step 'joined' splits one input but has 2 inputs that could be split (a, b): name one of them."]);
        RunPlanner.Plan(Samples.Sources(With(new(10, "b")))).Plan.ShouldNotBeNull().Steps[^1].BytesOf.ShouldBe("b");
        RunPlanner.Plan(Samples.Sources(With(new(10, "d")))).Errors.ShouldBe(["Step 'joined' fans out over 'd', which is not one of its inputs."]);
    }

    [Theory]
    [InlineData(ParamType.String, "", "")]
    [InlineData(ParamType.Int64, "-9223372036854775808", "-9223372036854775808")]
    [InlineData(ParamType.Int64, "1e3", null)]
    [InlineData(ParamType.Int64, " 1", null)]
    [InlineData(ParamType.Int64, "9223372036854775808", null)]
    [InlineData(ParamType.Float64, "1.50", "1.5")]
    [InlineData(ParamType.Float64, "1e3", "1000")]
    [InlineData(ParamType.Float64, "NaN", null)]
    [InlineData(ParamType.Float64, "1,5", null)]
    [InlineData(ParamType.Bool, "true", "true")]
    [InlineData(ParamType.Bool, "True", null)]
    [InlineData(ParamType.Bool, "1", null)]
    [InlineData(ParamType.Timestamp, "2026-01-01T10:00:00Z", "2026-01-01T10:00:00.000000Z")]
    [InlineData(ParamType.Timestamp, "2026-01-01T10:00:00.5+02:00", "2026-01-01T08:00:00.500000Z")]
    [InlineData(ParamType.Timestamp, "2026-01-01T10:00:00", null)]
    [InlineData(ParamType.Timestamp, "2026-01-01", null)]
    public void A_parameter_is_of_its_type_or_refused(ParamType type, string given, string? expected)
    {
        var pipeline = Samples.Pipeline with { Params = [new("p", type, null)] };
        var (plan, errors) = RunPlanner.Plan(Samples.Sources(pipeline, Samples.Request(("p", given))));
        plan?.Params.ShouldBe([new ParamValue("p", type, expected!)]);
        errors.Count.ShouldBe(expected is null ? 1 : 0);
    }
}
