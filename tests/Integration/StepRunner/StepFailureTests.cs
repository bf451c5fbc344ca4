using LeanPipe.Contracts;
using static LeanPipe.Integration.StepRunner.TaskLake;

namespace LeanPipe.Integration.StepRunner;

public sealed class StepFailureTests
{
    const string Endless = "SELECT sum(hash(a.range) % 7)::DOUBLE AS n FROM range(10000000) AS a, range(10000000) AS b";

    [Fact]
    public async Task A_wrong_column_ends_with_duckdbs_own_message_and_the_steps_name()
    {
        await using var lake = new TaskLake();
        var error = (await lake.RunAsync(lake.Task("SELECT id,\n       idd FROM ids", await lake.IdsAsync(1)))).Failed("sql.error");
        error.Message.ShouldStartWith("Step 'hourly': Binder Error: Referenced column \"idd\" not found");
        error.Message.ShouldContain("LINE 2:        idd FROM ids");
        error.Transient.ShouldBeFalse();
        lake.Scratch.GetFileSystemInfos().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_value_that_cannot_be_cast_is_an_sql_error_too()
    {
        await using var lake = new TaskLake();
        (await lake.RunAsync(lake.Task("SELECT CAST('x' || id AS BIGINT) AS n FROM ids", await lake.IdsAsync(1)))).Failed("sql.error").Message.ShouldContain("Conversion Error");
    }

    [Fact]
    public async Task Failed_checks_name_what_they_found_and_nothing_is_uploaded()
    {
        await using var lake = new TaskLake();
        var spec = lake.Task("SELECT id FROM ids", await lake.IdsAsync(1, 2, 3)) with
        {
            Checks = [new("fine", "SELECT count(*) FROM ids", 3), new("no_small", "SELECT count(*) FROM output WHERE id < 3", 0), new("unknown", "SELECT NULL::BIGINT", 0)],
        };
        var end = await lake.RunAsync(spec);
        const string rows = "runs/run-1/hourly/00000/1/check-no_small.ndjson";
        end.Failed("check.failed").Message.ShouldBe(
            $"Step 'hourly': 2 of 3 checks failed: 'no_small' found 2, expected 0 (rows: {rows}); 'unknown' found NULL, expected 0. No chunk was uploaded.");
        end.Outcome.ShouldNotBeNull().Checks.ShouldBe([new("fine", 3, 3, true), new("no_small", 0, 2, false, Rows: rows), new("unknown", 0, null, false)]);
        System.Text.Encoding.UTF8.GetString((await lake.Store.GetAsync(rows, CancellationToken.None)).ShouldNotBeNull().Span).ShouldBe("{\"id\":1}\n{\"id\":2}\n");
        (await lake.Store.SizeAsync("runs/run-1/hourly/00000/1/part-00000.parquet", CancellationToken.None)).ShouldBeNull();
    }

    [Fact]
    public async Task A_check_that_only_warns_keeps_its_rows_and_lets_the_task_succeed()
    {
        await using var lake = new TaskLake();
        var spec = lake.Task("SELECT id FROM ids", await lake.IdsAsync(1, 2, 3)) with
        {
            Checks = [new("odd", "SELECT id, id * 2 AS twice FROM output WHERE id % 2 = 1", 0, CheckSeverity.Warn, Rows: true), new("none", "FROM output WHERE id > 9", 0, Rows: true)],
        };
        var outcome = (await lake.RunAsync(spec)).Succeeded();
        const string rows = "runs/run-1/hourly/00000/1/check-odd.ndjson";
        outcome.Checks.ShouldBe([new("odd", 0, 2, false, CheckSeverity.Warn, rows), new("none", 0, 0, true)]);
        System.Text.Encoding.UTF8.GetString((await lake.Store.GetAsync(rows, CancellationToken.None)).ShouldNotBeNull().Span).ShouldBe("{\"id\":1,\"twice\":2}\n{\"id\":3,\"twice\":6}\n");
        outcome.RowsOut.ShouldBe(3);
    }

    [Theory]
    [InlineData("SELECT 1, 2", "check.no_count")]
    [InlineData("SELECT 'many'", "check.no_count")]
    [InlineData("SELECT nope FROM output", "check.sql_error")]
    [InlineData("DROP VIEW output", "check.sql_error")]
    public async Task A_check_that_is_no_count_is_named(string sql, string code)
    {
        await using var lake = new TaskLake();
        (await lake.RunAsync(lake.Task("SELECT 1 AS one") with { Checks = [new("odd", sql, 0)] })).Failed(code).Message.ShouldContain("Check 'odd'");
    }

    [Fact]
    public async Task The_schema_gate_refuses_all_columns_at_once_before_any_row_is_computed()
    {
        await using var lake = new TaskLake();
        var message = (await lake.RunAsync(lake.Task("SELECT sum(a.range) AS total, TIMESTAMP '2026-01-01' AS t, count(*) FROM range(10000000) AS a, range(10000000) AS b GROUP BY 2"))).Failed("schema.refused").Message;
        message.ShouldContain("total is HUGEINT, which sum() of integers yields and Parquet would store as DOUBLE: write CAST(total AS BIGINT)");
        message.ShouldContain("t is TIMESTAMP, which has no zone, so that readers would guess one: write t AT TIME ZONE 'UTC'");
        message.ShouldContain("count_star() has no plain name");
    }

    [Theory]
    [InlineData("missing", null, "sql.no_such_column")]
    [InlineData(null, "missing", "sql.no_such_column")]
    public async Task An_order_or_bucket_by_a_column_that_is_not_there_is_named(string? order, string? hash, string code)
    {
        await using var lake = new TaskLake();
        var spec = lake.Task("SELECT 1 AS one") with { Output = new() { OrderBy = order is null ? [] : [order], Hash = hash is null ? null : new(hash, 2) } };
        (await lake.RunAsync(spec)).Failed(code).Message.ShouldContain("'missing', but the SQL yields one");
    }

    [Fact]
    public async Task A_query_beyond_its_memory_says_so_in_its_own_code()
    {
        await using var lake = new TaskLake();
        var spec = lake.Task("SELECT len(list(range)) AS n FROM range(100000000)") with { Limits = new() { MemoryBytes = 64L << 20, ScratchBytes = 1L << 30 } };
        (await lake.RunAsync(spec)).Failed("duckdb.out_of_memory").Transient.ShouldBeFalse();
    }

    [Fact]
    public async Task A_task_that_needs_too_much_for_all_of_its_input_succeeds_when_it_reads_it_in_parts()
    {
        await using var lake = new TaskLake();
        var objects = new List<ObjectRef>();
        for (var n = 0; n < 4; n++) objects.Add(await lake.PutAsync($"raw/{n}.ndjson", string.Concat(Enumerable.Range(0, 30).Select(i => $"{{\"n\":{(n * 30) + i}}}\n")), 30));
        // A list in one row cannot be spilled.
        var spec = lake.Task("SELECT n % 2 AS odd, len(list(n * m)) AS products FROM raw, range(100000) r(m) GROUP BY ALL ORDER BY odd", new TaskInput("raw", InputFormat.Ndjson, [TaskLake.Column("n", "BIGINT")], objects)) with
        {
            Split = "raw",
            Output = new() { OrderBy = ["odd"] },
            Checks = [new("all", "SELECT sum(products)::BIGINT - (SELECT count(*) * 100000 FROM raw) FROM output", 0)],
            Limits = new() { MemoryBytes = 96L << 20, ScratchBytes = 1L << 30 },
        };
        (await lake.RunAsync(spec)).Failed("duckdb.out_of_memory");

        using var process = await lake.StartAsync(spec, 2, "--slices", "4");
        var outcome = (await lake.EndAsync(process, spec, 2)).Succeeded();
        (outcome.RowsIn, outcome.RowsOut, outcome.Chunks.Count).ShouldBe((120, 8, 4));
        outcome.Chunks.Select(c => Path.GetFileName(c.Object.Key)).ShouldBe(["part-00000.parquet", "part-00001.parquet", "part-00002.parquet", "part-00003.parquet"]);
        (await lake.ReadAsync(outcome.Chunks, "SELECT sum(products)::BIGINT, count(DISTINCT filename) FROM chunks")).ShouldBe(["12000000|4"]);
        lake.Scratch.EnumerateFileSystemInfos().ShouldBeEmpty();
    }

    [Fact]
    public async Task Parts_of_rows_without_an_order_stream_into_chunks_of_their_own()
    {
        await using var lake = new TaskLake();
        var objects = new List<ObjectRef>();
        for (var n = 0; n < 3; n++) objects.Add(await lake.PutAsync($"raw/{n}.ndjson", $"{{\"n\":{n}}}\n", 1));
        foreach (var (output, slices) in new[] { (new TaskOutput(), 3), (new TaskOutput { Hash = new("n", 2) }, 2) })
        {
            var spec = lake.Task("SELECT n FROM raw WHERE n <> 1", new TaskInput("raw", InputFormat.Ndjson, [TaskLake.Column("n", "BIGINT")], objects)) with { Split = "raw", Output = output };
            using var process = await lake.StartAsync(spec, 1, "--slices", $"{slices}");
            var outcome = (await lake.EndAsync(process, spec)).Succeeded();
            outcome.Chunks.Select(c => c.Object.Key).ShouldBeUnique();
            (await lake.ReadAsync(outcome.Chunks, "SELECT n FROM chunks ORDER BY n")).ShouldBe(["0", "2"]);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_sort_larger_than_memory_spills_and_succeeds_or_says_that_the_scratch_is_too_small(bool looksSmall)
    {
        await using var lake = new TaskLake();
        const string Sql = "SELECT hash(range)::VARCHAR || repeat('-', 80) AS text, range AS id FROM range(2000000)";
        var sort = (looksSmall ? lake.Task($"{Sql}, ids", await lake.IdsAsync(1)) : lake.Task(Sql)) with
        {
            Output = new() { OrderBy = ["text"] },
            Limits = new() { MemoryBytes = 128L << 20, ScratchBytes = 2L << 30 },
        };
        var outcome = (await lake.RunAsync(sort)).Succeeded();
        (await lake.ReadAsync(outcome.Chunks, "SELECT count(*), count(*) FILTER (p > text) FROM (SELECT text, lag(text) OVER (ORDER BY filename, file_row_number) AS p FROM chunks)")).ShouldBe(["2000000|0"]);

        var small = sort with { Task = new(77), Limits = sort.Limits with { ScratchBytes = 32L << 20 } };
        var end = await lake.RunAsync(small);
        end.ExitCode.ShouldBe(1);
        end.Outcome.ShouldNotBeNull().Error.ShouldNotBeNull().Code.ShouldBeOneOf("duckdb.out_of_spill", "task.scratch_full");
    }

    [Fact]
    public async Task A_join_of_four_times_its_memory_spills_and_succeeds()
    {
        await using var lake = new TaskLake();
        // Each side is 1,500,000 rows of some 170 bytes: 250 MB against 128 MiB for the whole task, of which DuckDB gets four fifths.
        const string side = "SELECT range AS id, hash(range)::VARCHAR || repeat('x', 140) AS text FROM range(1500000)";
        var join = lake.Task($"SELECT a.id, len(a.text) + len(b.text) AS n FROM ({side}) a JOIN ({side}) b USING (text)") with
        {
            Output = new() { OrderBy = ["id"] },
            Limits = new() { MemoryBytes = 128L << 20, ScratchBytes = 4L << 30 },
        };
        var outcome = (await lake.RunAsync(join)).Succeeded();
        (await lake.ReadAsync(outcome.Chunks, "SELECT count(*), count(DISTINCT id), max(id) FROM chunks")).ShouldBe(["1500000|1500000|1499999"]);
        outcome.PeakMemoryBytes.ShouldBeLessThan(512L << 20);
    }

    [Fact]
    public async Task A_task_over_its_time_is_stopped_and_says_so()
    {
        await using var lake = new TaskLake();
        var end = await lake.RunAsync(lake.Task(Endless) with { Limits = new() { Timeout = TimeSpan.FromSeconds(1) } });
        end.Failed("task.timeout").Message.ShouldContain("00:00:01");
        lake.Scratch.GetFileSystemInfos().ShouldBeEmpty();
    }

    [Fact]
    public async Task An_input_of_another_size_or_gone_is_refused()
    {
        await using var lake = new TaskLake();
        var ids = await lake.IdsAsync(1, 2);
        (await lake.RunAsync(lake.Task("SELECT id FROM ids", ids with { Objects = [ids.Objects[0] with { Bytes = 5 }] }))).Failed("task.input_changed").Message.ShouldContain("has 18 bytes, expected 5 bytes");
        (await lake.RunAsync(lake.Task("SELECT id FROM ids", ids with { Objects = [ids.Objects[0] with { Key = "raw/gone.ndjson" }] }))).Failed("task.input_missing").Message.ShouldContain("'raw/gone.ndjson'");
    }

    [Fact]
    public async Task A_segment_that_is_no_json_stops_the_task()
    {
        await using var lake = new TaskLake();
        var raw = new TaskInput("raw", InputFormat.Ndjson, [Column("id", "BIGINT")], [await lake.PutAsync("raw/a.ndjson", "{\"id\":1}\n{\"id\"\n")]);
        (await lake.RunAsync(lake.Task("SELECT id FROM raw", raw))).Failed("task.input_unreadable").Message.ShouldContain("Malformed JSON");
    }

    [Theory]
    [InlineData("SIGTERM", 143)]
    [InlineData("SIGINT", 130)]
    public async Task A_signal_ends_the_query_clears_the_scratch_and_leaves_no_outcome(string signal, int code)
    {
        await using var lake = new TaskLake();
        var spec = lake.Task(Endless);
        using var process = await lake.StartAsync(spec);
        await process.UntilAsync("sql");
        lake.Scratch.GetFileSystemInfos().ShouldNotBeEmpty();
        await process.SignalAsync(signal);
        var end = await lake.EndAsync(process, spec);
        end.ExitCode.ShouldBe(code, end.Error);
        end.Outcome.ShouldBeNull();
        lake.Scratch.GetFileSystemInfos().ShouldBeEmpty();
    }

    [Fact]
    public async Task The_end_of_its_parent_ends_an_attempt_that_asked_for_it()
    {
        await using var lake = new TaskLake();
        var spec = lake.Task(Endless);
        using var process = await lake.StartAsync(spec, 1, "--exit-with-parent");
        await process.UntilAsync("sql");
        process.CloseInput();
        var end = await lake.EndAsync(process, spec);
        end.ExitCode.ShouldBe(143, end.Error);
        end.Outcome.ShouldBeNull();
        lake.Scratch.GetFileSystemInfos().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_killed_attempt_has_no_outcome_and_the_next_one_succeeds()
    {
        await using var lake = new TaskLake();
        var spec = lake.Task(Endless);
        using (var process = await lake.StartAsync(spec))
        {
            await process.UntilAsync("sql");
            process.Kill();
            (await lake.EndAsync(process, spec)).Outcome.ShouldBeNull();
        }
        (await lake.RunAsync(spec with { Sql = "SELECT 1 AS one" }, attempt: 2)).Succeeded().Attempt.ShouldBe(2);
    }
}
