using LeanPipe.StepRunner;

namespace LeanPipe.Unit.StepRunner;

public sealed class ArgumentsTests
{
    [Fact]
    public void Task_and_attempt_are_enough() =>
        Arguments.Parse(["--attempt", "3", "--task", "runs/r/s/00000/task.json"]).Parsed.ShouldBe(new Arguments("runs/r/s/00000/task.json", 3, null));

    [Fact]
    public void What_an_attempt_gets_after_one_without_enough_memory_is_taken() =>
        Arguments.Parse(["--task", "k", "--attempt", "2", "--memory", "5", "--slices", "4"]).Parsed.ShouldBe(new Arguments("k", 2, null, MemoryBytes: 5, Slices: 4));

    [Fact]
    public void A_switch_takes_no_value() =>
        Arguments.Parse(["--exit-with-parent", "--task", "k", "--attempt", "1", "--scratch", "/s"]).Parsed.ShouldBe(new Arguments("k", 1, "/s", ExitWithParent: true));

    [Fact]
    public void Everything_wrong_is_said_at_once()
    {
        var (parsed, errors) = Arguments.Parse(["--what", "--attempt", "0", "--scratch"]);
        parsed.ShouldBeNull();
        errors.ShouldBe(
        [
            "'--what' is no option: expected --task, --attempt, --scratch, --memory, --slices or --exit-with-parent.",
            "--scratch has no value.",
            "--task is missing: give the lake key of a sheet of tasks, # and the number of the task.",
            "--attempt is '0': expected a number from 1.",
        ]);
    }

    [Fact]
    public void The_help_fits_a_terminal() => Arguments.Help.Split('\n').Max(line => line.Length).ShouldBeLessThanOrEqualTo(150);
}
