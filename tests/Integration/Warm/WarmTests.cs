using LeanPipe.Contracts;
using LeanPipe.Integration.Lake;
using LeanPipe.Integration.StepRunner;
using LeanPipe.Lake;

namespace LeanPipe.Integration.Warm;

public sealed class WarmTests
{
    [Fact]
    public async Task A_warm_attempt_yields_the_same_chunks_as_a_started_one()
    {
        await using var lab = await WarmLab.StartAsync();
        var ids = await lab.Lake.IdsAsync(3, 1, 2);
        var spec = lab.Lake.Task("SELECT id, id * 2 AS twice FROM ids", ids) with { Output = new() { OrderBy = ["id"] } };
        (await lab.RunAsync(spec)).ShouldBe(new(0, false, ""));
        lab.Each.Attempts.ShouldBeEmpty();
        var warm = (await lab.Lake.OutcomeAsync(spec)).ShouldNotBeNull();
        var started = (await lab.Lake.RunAsync(spec, attempt: 2)).Succeeded();
        warm.Chunks.Select(c => (c.Object.Bytes, c.Object.Rows, c.Object.Sha256)).ShouldBe(started.Chunks.Select(c => (c.Object.Bytes, c.Object.Rows, c.Object.Sha256)));
        (warm.RowsIn, warm.RowsOut, warm.Engine, warm.Attempt).ShouldBe((started.RowsIn, started.RowsOut, started.Engine, 1));
        warm.Columns.ShouldBe(started.Columns);
    }

    [Fact]
    public async Task Over_S3_inputs_are_downloaded_and_chunks_uploaded_as_ever()
    {
        await using var lab = await WarmLab.StartAsync(lake: await TestStore.S3OptionsAsync());
        var spec = lab.Lake.Task("SELECT id + 1 AS next FROM ids", await lab.Lake.IdsAsync(1, 2, 3));
        (await lab.RunAsync(spec)).ShouldBe(new(0, false, ""));
        lab.Each.Attempts.ShouldBeEmpty();
        var outcome = (await lab.Lake.OutcomeAsync(spec)).ShouldNotBeNull();
        (await lab.Lake.ReadAsync(outcome.Chunks, "SELECT count(*), CAST(sum(next) AS BIGINT) FROM chunks")).ShouldBe(["3|9"]);
    }

    [Fact]
    public async Task Every_attempt_has_a_process_and_a_scratch_of_its_own_and_neither_outlives_it()
    {
        await using var lab = await WarmLab.StartAsync();
        var processes = new HashSet<int>();
        for (var n = 0; n < 3; n++)
        {
            var before = lab.Runner.Children();
            (await lab.RunAsync(lab.Lake.Task("SELECT 1 AS one"))).ExitCode.ShouldBe(0);
            foreach (var process in before)
            {
                await WarmRunner.GoneAsync(process);
                processes.Add(process).ShouldBeTrue("a process ran twice");
            }
            // At most that of the process which waits for the next.
            lab.Runner.Scratch.EnumerateDirectories().Count().ShouldBeLessThanOrEqualTo(1);
        }
        lab.Each.Attempts.ShouldBeEmpty();
    }

    [Fact]
    public async Task What_fails_says_so_in_its_outcome_and_its_log_is_kept()
    {
        await using var lab = await WarmLab.StartAsync();
        var spec = lab.Lake.Task("SELECT * FROM nothing");
        var end = await lab.RunAsync(spec);
        end.ExitCode.ShouldBe(1);
        (await lab.Lake.OutcomeAsync(spec)).ShouldNotBeNull().Error.ShouldNotBeNull().Code.ShouldBe("sql.error");
        var log = (await lab.Lake.Store.GetAsync(LakeLayout.AttemptLog(spec.Run, spec.Step, spec.Task, 1), default)).ShouldNotBeNull();
        System.Text.Encoding.UTF8.GetString(log.Span).ShouldBe(end.ErrorTail);
    }

    [Theory]
    [InlineData("SELECT content FROM read_text('/etc/passwd')", "sql.not_allowed")]
    [InlineData("SELECT * FROM read_json('http://127.0.0.1:1/x.json')", "sql.not_allowed")]
    [InlineData("SET enable_external_access = true", "sql.not_one_select")]
    public async Task Sql_is_locked_in_as_in_a_container_of_its_own(string sql, string code)
    {
        await using var lab = await WarmLab.StartAsync();
        var spec = lab.Lake.Task(sql);
        (await lab.RunAsync(spec)).ExitCode.ShouldBe(1);
        (await lab.Lake.OutcomeAsync(spec)).ShouldNotBeNull().Error.ShouldNotBeNull().Code.ShouldBe(code);
    }

    [Fact]
    public async Task A_limit_on_memory_holds()
    {
        await using var lab = await WarmLab.StartAsync();
        var spec = lab.Lake.Task("SELECT list(i) AS all_of_them FROM range(100000000) t(i)") with { Limits = new() { MemoryBytes = 64L << 20, ScratchBytes = 1L << 20 } };
        (await lab.RunAsync(spec)).ExitCode.ShouldBe(1);
        (await lab.Lake.OutcomeAsync(spec)).ShouldNotBeNull().Error.ShouldNotBeNull().Code.ShouldBeOneOf("duckdb.out_of_memory", "duckdb.out_of_spill");
    }

    [Fact]
    public async Task The_process_of_an_attempt_does_not_see_the_token()
    {
        await using var lab = await WarmLab.StartAsync();
        var end = await lab.BeginEndlessAsync();
        foreach (var process in lab.Runner.Children()) (await File.ReadAllTextAsync($"/proc/{process}/environ")).ShouldNotContain(WarmRunner.Token);
        (await File.ReadAllTextAsync($"/proc/{lab.Runner.ProcessId}/environ")).ShouldContain(WarmRunner.Token);
        lab.Runner.Kill();
        await end;
    }

    [Fact]
    public async Task More_input_than_the_threshold_more_memory_and_later_attempts_get_a_container_of_their_own()
    {
        await using var lab = await WarmLab.StartAsync();
        var attempt = await lab.PlanAsync(lab.Lake.Task("SELECT 1 AS one"));
        await lab.Launcher.RunAsync(attempt with { InputBytes = 1000 }, _ => { }, default);
        lab.Each.Attempts.ShouldBeEmpty();
        await lab.Launcher.RunAsync((await lab.PlanAsync(lab.Lake.Task("SELECT 1 AS one"))) with { InputBytes = 1001 }, _ => { }, default);
        lab.Each.Attempts.Count.ShouldBe(1);
        await lab.Launcher.RunAsync(await lab.PlanAsync(lab.Lake.Task("SELECT 1 AS one"), attempt: 2), _ => { }, default);
        lab.Each.Attempts.Count.ShouldBe(2);
        var spec = lab.Lake.Task("SELECT 1 AS one");
        await lab.Launcher.RunAsync((await lab.PlanAsync(spec)) with { Limits = spec.Limits with { MemoryBytes = 513L << 20 } }, _ => { }, default);
        lab.Each.Attempts.Count.ShouldBe(3);
    }

    [Fact]
    public async Task While_it_is_busy_with_somebody_else_s_attempt_the_next_one_gets_a_container_of_its_own()
    {
        await using var lab = await WarmLab.StartAsync();
        var end = await lab.BeginEndlessAsync();
        // By this launcher's own knowledge, and by another's, which must ask.
        (await lab.RunAsync(lab.Lake.Task("SELECT 1 AS one"))).ExitCode.ShouldBe(0);
        lab.Each.Attempts.Count.ShouldBe(1);
        await using var other = await WarmLab.StartAsync(w => w with { Addresses = [lab.Runner.Address] });
        (await other.RunAsync(other.Lake.Task("SELECT 1 AS one"))).ExitCode.ShouldBe(0);
        other.Each.Attempts.Count.ShouldBe(1);
        lab.Runner.Kill();
        (await end).Error.ShouldNotBeNull().Code.ShouldBe("task.warm_lost");
    }

    [Fact]
    public async Task Who_has_another_token_or_another_lake_is_refused_and_starts_a_container()
    {
        await using var lab = await WarmLab.StartAsync(w => w with { Token = "another" });
        (await lab.RunAsync(lab.Lake.Task("SELECT 1 AS one"))).ExitCode.ShouldBe(0);
        lab.Each.Attempts.Count.ShouldBe(1);
        await using var elsewhere = await WarmLab.StartAsync(theirs: lab.Lake.Options);
        (await elsewhere.RunAsync(elsewhere.Lake.Task("SELECT 1 AS one"))).ExitCode.ShouldBe(0);
        elsewhere.Each.Attempts.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Where_nobody_listens_and_where_no_name_is_known_a_container_is_started()
    {
        await using var lab = await WarmLab.StartAsync(w => w with { Addresses = ["127.0.0.1:1", "no-such-host.invalid:8090"] });
        (await lab.RunAsync(lab.Lake.Task("SELECT 1 AS one"))).ExitCode.ShouldBe(0);
        lab.Each.Attempts.Count.ShouldBe(1);
    }
}
