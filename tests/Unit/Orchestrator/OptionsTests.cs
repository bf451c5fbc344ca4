using LeanPipe.Contracts;
using LeanPipe.Orchestrator;

namespace LeanPipe.Unit.Orchestrator;

public sealed class OptionsTests
{
    [Fact]
    public void Every_broken_rule_of_the_options_is_said_at_once()
    {
        var options = new OrchestratorOptions
        {
            Lake = new() { Root = "lake" },
            Config = "/nowhere/config",
            StepRunner = "/nowhere/steprunner",
            MaxConcurrentTasks = 0,
            MaxTaskAttempts = 0,
            MaxLostAttempts = 0,
            RetryDelay = TimeSpan.FromSeconds(-1),
        };
        Should.Throw<LeanPipeException>(options.Validated).Message.ShouldBe(
            "The configuration folder '/nowhere/config' does not exist: make it, or name another. " +
            "The step runner '/nowhere/steprunner' does not exist: give the path of its program or .dll. " +
            "The number of concurrent tasks is 0: expected 1 or more. The number of attempts of a task is 0: expected 1 or more. " +
            "The number of lost attempts of a task is 0: expected 1 or more. The delay before a second attempt is -00:00:01: expected zero or more.");
    }

    [Fact]
    public void The_pause_before_an_attempt_doubles_up_to_five_minutes()
    {
        var options = new OrchestratorOptions { Lake = new() { Root = "lake" }, Config = "." };
        int[] seconds = [1, 2, 4, 8, 16, 32, 64, 128, 256, .. Enumerable.Repeat(300, 11)];
        Enumerable.Range(1, 20).Select(options.PauseAfter).ShouldBe(seconds.Select(s => TimeSpan.FromSeconds(s)));
        options.PauseAfter(int.MaxValue).ShouldBe(TimeSpan.FromMinutes(5));
        (options with { RetryDelay = TimeSpan.Zero }).PauseAfter(int.MaxValue).ShouldBe(TimeSpan.Zero);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(1000)]
    public void The_machine_is_shared_out_over_the_tasks(int concurrent)
    {
        var limits = new OrchestratorOptions { Lake = new() { Root = "lake" }, Config = ".", MaxConcurrentTasks = concurrent }.EffectiveLimits;
        limits.Threads.ShouldBeInRange(1, Environment.ProcessorCount);
        limits.MemoryBytes.ShouldBeInRange(256L << 20, 8L << 30);
    }
}
