using System.Text.Json;
using LeanPipe.Contracts;

namespace LeanPipe.Unit.Contracts;

public sealed class ContractsTests
{
    [Theory]
    [InlineData("2026-01-01")]
    [InlineData("2026-01-01T10")]
    [InlineData("2026-01-01T1005")]
    public void A_window_reads_back_as_it_was_written(string text) => WindowId.Parse(text).Value.ShouldBe(text);

    [Theory]
    [InlineData("2026-01-01T10:00")]
    [InlineData("2026-13-01")]
    [InlineData("")]
    public void A_text_of_another_shape_is_no_window(string text) =>
        Should.Throw<LeanPipeException>(() => WindowId.Parse(text)).Code.ShouldBe("contracts.bad_window");

    [Fact]
    public void An_instant_belongs_to_the_window_that_its_size_cuts_from_the_clock()
    {
        var instant = DateTimeOffset.Parse("2026-01-01T12:37:59.999+02:00");
        WindowId.Of(instant, WindowSize.Hour).Value.ShouldBe("2026-01-01T10");
        WindowId.Of(instant, WindowSize.Day).Value.ShouldBe("2026-01-01");
        WindowId.Of(instant, new(TimeSpan.FromMinutes(15))).Value.ShouldBe("2026-01-01T1030");
    }

    [Fact]
    public void A_long_pipeline_name_still_gives_a_run_id_within_Daprs_limit_and_two_of_them_stay_apart()
    {
        var window = WindowId.Parse("2026-01-01T10");
        var a = RunId.For(new(new string('a', 60) + "x"), window, 1);
        var b = RunId.For(new(new string('a', 60) + "y"), window, 1);
        a.Value.Length.ShouldBe(64);
        a.ShouldNotBe(b);
        RunId.For(new("telemetry-hourly"), window, 2).Value.ShouldBe("telemetry-hourly-2026-01-01T10-r2");
        a.WithTail("-p0123").Value.Length.ShouldBe(64);
        a.WithTail("-p0123").Value.ShouldEndWith("-p0123");
        new RunId("my-run").WithTail("-p0123").Value.ShouldBe("my-run-p0123");
    }

    [Theory]
    [InlineData(41)]
    [InlineData(47)]
    [InlineData(63)]
    public void Runs_over_two_windows_or_revisions_stay_apart_with_the_same_tail_however_long_the_pipelines_name_is(int length)
    {
        PipelineName pipeline = new(new string('a', length));
        var ids = new[] { ("2026-01-01T10", 1), ("2026-01-01T10", 2), ("2026-01-01T11", 1), ("2026-01-02T10", 1), ("2026-02-01T10", 1) }
            .Select(w => RunId.For(pipeline, WindowId.Parse(w.Item1), w.Item2).WithTail("-d01234567")).ToList();
        ids.Distinct().Count().ShouldBe(ids.Count);
    }

    [Fact]
    public void Without_a_trigger_the_leading_stream_is_that_of_the_first_input_by_name_whatever_their_order_in_the_document()
    {
        var step = new StepDefinition { Name = new("s"), Sql = "", Inputs = new Dictionary<string, InputDefinition> { ["b"] = new StreamInput(new("second")), ["a"] = new StreamInput(new("first")) } };
        var pipeline = new PipelineDefinition { Name = new("p"), Steps = [step] };
        pipeline.LeadingStream.ShouldBe(new StreamName("first"));
        (pipeline with { TriggerSealed = new("third") }).LeadingStream.ShouldBe(new StreamName("third"));
        (pipeline with { Steps = [] }).LeadingStream.ShouldBeNull();
    }

    [Fact]
    public void Enums_and_names_are_snake_case_text_and_ids_are_plain_strings()
    {
        var request = new RunRequest(new("telemetry-hourly"), WindowId.Parse("2026-01-01T10"));
        JsonSerializer.Serialize(request, ContractsJson.Default.RunRequest).ShouldBe("""{"pipeline":"telemetry-hourly","window":"2026-01-01T10"}""");
        JsonSerializer.Serialize(new ParamValue("kind", ParamType.Int64, "1"), ContractsJson.Default.ParamValue)
            .ShouldBe("""{"name":"kind","type":"int64","value":"1"}""");
    }

    [Fact]
    public void A_bad_id_in_JSON_is_refused_with_its_rule() =>
        Should.Throw<JsonException>(() => JsonSerializer.Deserialize("""{"pipeline":"Bad Name","window":"2026-01-01T10"}""", ContractsJson.Default.RunRequest))
            .Message.ShouldContain(LeanPipe.Contracts.Name.Rule);
}
