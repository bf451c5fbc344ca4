using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Integration.StepRunner;

public sealed class UsageTests
{
    [Fact]
    public async Task Help_is_on_standard_output()
    {
        using var process = StepProcess.Start(null, "--help");
        var (code, output, error) = await process.EndAsync();
        (code, error).ShouldBe((0, ""));
        output[0].ShouldBe("steprunner --task TASK --attempt N [--scratch DIR] [--memory BYTES] [--slices N] [--exit-with-parent]");
    }

    [Fact]
    public async Task Wrong_arguments_are_all_named()
    {
        using var process = StepProcess.Start(null, "--attempt", "x");
        var (code, _, error) = await process.EndAsync();
        code.ShouldBe(2);
        error.ShouldBe("steprunner: --task is missing: give the lake key of a sheet of tasks, # and the number of the task.\nsteprunner: --attempt is 'x': expected a number from 1.\nsteprunner: --help shows how it is called.\n");
    }

    [Fact]
    public async Task No_lake_is_wrong_usage()
    {
        using var process = StepProcess.Start(null, "--task", "runs/r/s/00000/task.json", "--attempt", "1");
        var (code, _, error) = await process.EndAsync();
        code.ShouldBe(2, error);
        error.ShouldContain("LEANPIPE_LAKE is not set");
    }

    [Fact]
    public async Task No_such_task_a_misplaced_one_and_one_of_another_version_are_wrong_usage()
    {
        await using var lake = new TaskLake();
        (await CodeAsync(lake, "runs/r/s/00000/task.json")).ShouldBe((2, "task.not_found"));
        await lake.Store.PutJsonAsync("runs/elsewhere.json", lake.Task("SELECT 1 AS one"), ContractsJson.Default.TaskSpec, CancellationToken.None);
        (await CodeAsync(lake, "runs/elsewhere.json")).ShouldBe((2, "task.misplaced"));
        (await CodeAsync(lake, await lake.WriteAsync(lake.Task("SELECT 1 AS one") with { Version = 2 }))).ShouldBe((2, "task.bad_version"));
        await lake.PutAsync("runs/r/s/00001/task.json", "{}");
        var sheet = TaskSheet.Cut([lake.Task("SELECT 1 AS one")]).Single();
        foreach (var place in (string[])["runs/run-1/hourly/tasks/00000-1.json", "runs/run-2/hourly/tasks/00000-1.json"])
            await lake.Store.PutJsonAsync(place, sheet, ContractsJson.Default.TaskSheet, CancellationToken.None);
        (await CodeAsync(lake, "runs/run-1/hourly/tasks/00000-1.json#00099")).ShouldBe((2, "task.bad_document"));
        (await CodeAsync(lake, $"runs/run-2/hourly/tasks/00000-1.json#{sheet.Spec.Task}")).ShouldBe((2, "task.misplaced"));
        (await CodeAsync(lake, "runs/r/s/00001/task.json")).ShouldBe((2, "task.bad_document"));
    }

    [Fact]
    public async Task An_unreachable_lake_is_worth_another_attempt()
    {
        await using var lake = new TaskLake();
        var options = new LakeOptions { Root = "s3://nowhere/lake", Endpoint = new("http://127.0.0.1:1"), AccessKey = "a", SecretKey = "b" };
        using var process = StepProcess.Start(options, "--task", "runs/r/s/00000/task.json", "--attempt", "1");
        var (code, _, error) = await process.EndAsync();
        code.ShouldBe(3, error);
    }

    static async Task<(int, string)> CodeAsync(TaskLake lake, string key)
    {
        using var process = StepProcess.Start(lake.Options, "--task", key, "--attempt", "1");
        var (code, _, error) = await process.EndAsync();
        return (code, error.Split(": ")[1]);
    }
}
