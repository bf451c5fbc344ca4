using System.Text.Json;
using LeanPipe.Cli.Demo;

namespace LeanPipe.Integration.Cli;

public sealed class DemoTests : IDisposable
{
    const long Records = 20_000;

    readonly string _home = Directory.CreateTempSubdirectory("leanpipe-demo-").FullName;

    public void Dispose() => Directory.Delete(_home, recursive: true);

    [Fact]
    public async Task A_demo_ends_with_what_was_sent_and_a_second_one_in_the_same_home_starts_afresh()
    {
        using (var first = LeanPipeProcess.Start(_home, "demo", "--stream-port", "0", "--records", "2000"))
        {
            (await first.EndAsync()).ShouldBe(0, first.Output);
            first.Output.ShouldContain("every sensor and hour of the table is what was sent");
        }
        using var second = LeanPipeProcess.Start(_home, "demo", "--stream-port", "0", "--records", $"{Records}");
        (await second.EndAsync()).ShouldBe(0, second.Output);
        second.Output.ShouldContain("starting afresh");
        await TableIsTheAnswerAsync();
        var (code, audit) = await LeanPipeProcess.RunAsync(_home, "audit", "--stream", "telemetry", "-o", "json");
        code.ShouldBe(0, audit);
        JsonDocument.Parse(audit).RootElement.GetProperty("rejects").EnumerateObject().Count().ShouldBe(5);
    }

    /// <summary>Killed as soon as it says so; what it does not say lies between two of these moments.</summary>
    [Theory]
    [InlineData("Gateway, sidecar and orchestrator run")]
    [InlineData("Sending")]
    [InlineData("acknowledged, ")]
    [InlineData("compact, ")]
    [InlineData("by_sensor, ")]
    [InlineData("published ")]
    public async Task A_demo_that_is_killed_ends_with_the_same_table_after_the_next_up(string moment)
    {
        using (var demo = LeanPipeProcess.Start(_home, "demo", "--stream-port", "0", "--records", $"{Records}"))
        {
            await demo.UntilAsync(moment);
            await demo.KillAsync();
        }
        using var up = LeanPipeProcess.Start(_home, "up", "--until-idle");
        (await up.EndAsync()).ShouldBe(0, up.Output);
        await TableIsTheAnswerAsync();
        (await LeanPipeProcess.RunAsync(_home, "audit", "--stream", "telemetry")).Code.ShouldBe(0);
    }

    [Fact]
    public async Task A_termination_drains_and_ends_well_and_the_home_is_free_again()
    {
        Directory.CreateDirectory(Path.Combine(_home, "config", "streams"));
        await File.WriteAllTextAsync(
            Path.Combine(_home, "config", "streams", "s.yaml"), "{ stream: s, listen: '127.0.0.1:0', schema: { fields: { at: timestamp } }, event_time: at }", TestContext.Current.CancellationToken);
        using (var up = LeanPipeProcess.Start(_home, "up"))
        {
            await up.UntilAsync("Ready:");
            (await LeanPipeProcess.RunAsync(_home, "up")).Output.ShouldContain("cli.home_in_use");
            up.Terminate();
            (await up.EndAsync()).ShouldBe(0, up.Output);
            up.Output.ShouldContain("Draining");
        }
        (await LeanPipeProcess.RunAsync(_home, "run", "telemetry-hourly", "--window", "2026-01-01T10")).Output.ShouldContain("cli.not_running");
    }

    async Task TableIsTheAnswerAsync()
    {
        var (code, output) = await LeanPipeProcess.RunAsync(
            _home, "query", "SELECT sensor_id, epoch_ms(start_time) AS ms, readings, avg_value, min_value, max_value FROM temperatures_hourly", "-o", "json");
        code.ShouldBe(0, output);
        var table = JsonDocument.Parse(output).RootElement.EnumerateArray().Select(r => new HourlyRow(
            r.GetProperty("sensor_id").GetInt64(), DateTimeOffset.FromUnixTimeMilliseconds(r.GetProperty("ms").GetInt64()), r.GetProperty("readings").GetInt64(),
            r.GetProperty("avg_value").GetDouble(), r.GetProperty("min_value").GetDouble(), r.GetProperty("max_value").GetDouble())).ToList();
        Expectation.Of(new(Records)).Difference(table).ShouldBeNull();
    }
}
