using LeanPipe.Contracts;

namespace LeanPipe.Integration.StepRunner;

/// <summary>A load step's task as a process, into a real PostgreSQL.</summary>
public sealed class LoadTests
{
    const string Rows = "SELECT * FROM (VALUES (1, 'a', 1.5::DECIMAL(10,2)), (2, 'b', NULL), (3, 'c', 3.5::DECIMAL(10,2))) t(id, name, price)";

    [Fact]
    public async Task A_missing_table_is_made_and_the_same_rows_again_change_nothing()
    {
        await using var database = await Database.CreateAsync();
        await using var lake = new TaskLake();
        var outcome = (await lake.RunAsync(Merge(lake, database, Rows))).Succeeded();
        (outcome.Load, outcome.RowsOut, outcome.Chunks.Count).ShouldBe((new LoadResult(3, 3, 0), 3, 0));
        (await database.ReadAsync("SELECT id, name, price FROM articles ORDER BY id")).ShouldBe(["1|a|1.50", "2|b|", "3|c|3.50"]);
        (await lake.Store.SizeAsync("runs/run-1/hourly/00000/1/part-00000.parquet", CancellationToken.None)).ShouldBeNull("rows that are in a database are not kept twice");

        var before = await database.ReadAsync("SELECT xmin, * FROM articles ORDER BY id");
        (await lake.RunAsync(Merge(lake, database, Rows) with { Task = new(0) }, attempt: 2)).Succeeded().Load.ShouldBe(new LoadResult(3, 3, 0, Repeated: true));
        (await database.ReadAsync("SELECT xmin, * FROM articles ORDER BY id")).ShouldBe(before);
        (await database.ReadAsync("SELECT count(*), max(pipeline), max(window_id), max(rows) FROM leanpipe_loads")).ShouldBe(["1|telemetry-hourly|2026-01-01T10|3"]);
    }

    [Fact]
    public async Task A_merge_changes_what_differs_adds_what_is_new_and_leaves_the_rest_untouched()
    {
        await using var database = await Database.CreateAsync();
        await using var lake = new TaskLake();
        (await lake.RunAsync(Merge(lake, database, Rows))).Succeeded();
        await database.ExecuteAsync("ALTER TABLE articles ADD COLUMN note text DEFAULT 'kept'");
        var untouched = await database.ReadAsync("SELECT xmin, * FROM articles WHERE id = 1");

        const string later = "SELECT * FROM (VALUES (1, 'a', 1.5::DECIMAL(10,2), true), (2, 'B', 2.5, false), (4, 'd', 4.5, NULL)) t(id, name, price, fresh)";
        (await lake.RunAsync(Merge(lake, database, $"SELECT * EXCLUDE (fresh) FROM ({later})"))).Succeeded().Load.ShouldBe(new LoadResult(3, 1, 1));
        (await database.ReadAsync("SELECT xmin, * FROM articles WHERE id = 1")).ShouldBe(untouched);
        (await lake.RunAsync(Merge(lake, database, later))).Succeeded().Load.ShouldBe(new LoadResult(3, 0, 2), "a new column is added to the table, and null where it is null");
        (await database.ReadAsync("SELECT id, name, price, note, fresh FROM articles ORDER BY id"))
            .ShouldBe(["1|a|1.50|kept|True", "2|B|2.50|kept|False", "3|c|3.50|kept|", "4|d|4.50|kept|"]);
    }

    [Theory]
    [InlineData(LoadMode.Insert, 1, 0, "1|old,2|b")]
    [InlineData(LoadMode.Update, 0, 1, "1|a")]
    [InlineData(LoadMode.Merge, 1, 1, "1|a,2|b")]
    public async Task A_mode_says_what_happens_to_known_and_to_new_keys(LoadMode mode, long inserted, long updated, string result)
    {
        await using var database = await Database.CreateAsync();
        await using var lake = new TaskLake();
        await database.ExecuteAsync("CREATE TABLE articles (id integer, name text); INSERT INTO articles VALUES (1, 'old')");
        (await lake.RunAsync(Load(lake, database, "SELECT * FROM (VALUES (1, 'a'), (2, 'b')) t(id, name)", mode, "id"))).Succeeded().Load.ShouldBe(new LoadResult(2, inserted, updated));
        string.Join(',', await database.ReadAsync("SELECT id, name FROM articles ORDER BY id")).ShouldBe(result);
    }

    [Fact]
    public async Task Rows_without_a_key_are_added_once()
    {
        await using var database = await Database.CreateAsync();
        await using var lake = new TaskLake();
        var first = Load(lake, database, "SELECT range AS n FROM range(10)", LoadMode.Insert);
        (await lake.RunAsync(first)).Succeeded().Load.ShouldBe(new LoadResult(10, 10, 0));
        (await lake.RunAsync(first with { Sql = "SELECT 9 - range AS n FROM range(10)", Run = new("run-2") })).Succeeded().Load!.Repeated.ShouldBeTrue("the same rows in another order, by another run");
        (await lake.RunAsync(first with { Sql = "SELECT range AS n FROM range(11)", Run = new("run-3") })).Succeeded().Load!.Inserted.ShouldBe(11);
        (await lake.RunAsync(first with { Window = WindowId.Parse("2026-01-01T11"), Run = new("run-4") })).Succeeded().Load!.Inserted.ShouldBe(10, "equal rows of another window are other rows");
        (await database.ReadAsync("SELECT count(*) FROM articles")).ShouldBe(["31"]);
    }

    [Fact]
    public async Task Rows_that_were_changed_by_a_later_revision_are_changed_back_by_the_earlier_ones_rows()
    {
        await using var database = await Database.CreateAsync();
        await using var lake = new TaskLake();
        var spec = Load(lake, database, "SELECT 1 AS id, 'x' AS name", LoadMode.Merge, "id");
        foreach (var (run, name) in new[] { ("run-1", "x"), ("run-2", "y"), ("run-3", "x") })
            (await lake.RunAsync(spec with { Run = new(run), Sql = $"SELECT 1 AS id, '{name}' AS name" })).Succeeded().Load!.Repeated.ShouldBeFalse();
        (await database.ReadAsync("SELECT name FROM articles")).ShouldBe(["x"]);
    }

    [Fact]
    public async Task A_task_loads_again_what_another_runs_fan_out_gave_to_another_task_and_changed()
    {
        await using var database = await Database.CreateAsync();
        await using var lake = new TaskLake();
        var spec = Load(lake, database, "", LoadMode.Merge, "id");
        async Task<LoadResult> LoadAsync(string run, int task, string rows) =>
            (await lake.RunAsync(spec with { Run = new(run), Task = new(task), Sql = $"SELECT * FROM (VALUES {rows}) t(id, name)" })).Succeeded().Load!;
        await LoadAsync("run-1", 0, "(1, 'a')");
        await LoadAsync("run-1", 1, "(2, 'new')");
        // One task, with what was said of row 2 before.
        await LoadAsync("run-2", 0, "(1, 'a'), (2, 'old')");
        (await LoadAsync("run-3", 1, "(2, 'new')")).ShouldBe(new LoadResult(1, 0, 1));
        (await LoadAsync("run-3", 0, "(1, 'a')")).ShouldBe(new LoadResult(1, 0, 0));
        (await database.ReadAsync("SELECT id, name FROM articles ORDER BY id")).ShouldBe(["1|a", "2|new"]);
        (await LoadAsync("run-4", 0, "(1, 'a')")).Repeated.ShouldBeTrue();
    }

    [Fact]
    public async Task Foreign_keys_are_looked_up_and_what_is_not_there_is_added_once()
    {
        await using var database = await Database.CreateAsync();
        await using var lake = new TaskLake();
        (await lake.RunAsync(Articles(lake, database, "(1, 'Times'), (2, 'Post'), (3, 'Times'), (4, NULL)"))).Succeeded().Load!
            .ShouldSatisfyAllConditions(l => l.Inserted.ShouldBe(4), l => l.Added.ShouldNotBeNull()["publications"].ShouldBe(2));
        var ids = await database.ReadAsync("SELECT name, id FROM publications ORDER BY name");
        (await lake.RunAsync(Articles(lake, database, "(3, 'Post'), (5, 'Herald')"))).Succeeded().Load!.Added.ShouldNotBeNull()["publications"].ShouldBe(1);

        (await database.ReadAsync("SELECT name, id FROM publications WHERE name <> 'Herald' ORDER BY name")).ShouldBe(ids, "an id is kept");
        (await database.ReadAsync("SELECT a.id, p.name FROM articles a LEFT JOIN publications p ON p.id = a.publication_id ORDER BY a.id")).ShouldBe(["1|Times", "2|Post", "3|Post", "4|", "5|Herald"]);
        (await database.ReadAsync("SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'articles' AND table_schema = current_schema ORDER BY 1"))
            .ShouldBe(["id|integer", "publication_id|uuid"], "the name itself is not a column of the target");
    }

    [Fact]
    public async Task Loads_at_the_same_time_lose_nothing_and_add_nothing_twice()
    {
        await using var database = await Database.CreateAsync();
        await using var lake = new TaskLake();
        var specs = Enumerable.Range(0, 4).Select(i => Articles(lake, database, string.Join(", ", Enumerable.Range(0, 50).Select(n => $"({(i * 25) + n}, 'paper {n % 7}')")))).ToList();
        await Task.WhenAll(specs.Select(async spec => (await lake.RunAsync(spec)).Succeeded()));
        (await database.ReadAsync("SELECT count(*), count(DISTINCT id), count(publication_id) FROM articles")).ShouldBe(["125|125|125"]);
        (await database.ReadAsync("SELECT count(*), count(DISTINCT name) FROM publications")).ShouldBe(["7|7"]);
    }

    [Fact]
    public async Task Every_type_arrives_as_it_was()
    {
        await using var database = await Database.CreateAsync();
        await using var lake = new TaskLake();
        const string sql = """
            SELECT * FROM (VALUES
                (1, true, 1::TINYINT, -2::SMALLINT, 3::INTEGER, CAST('-9223372036854775808' AS BIGINT), 1.5::FLOAT, 1e300::DOUBLE, 12345678901234.567::DECIMAL(18,3), 'ü "q" \', 'a'::BLOB, DATE '1969-12-31', TIMESTAMPTZ '2026-01-02 03:04:05.678901+00'),
                (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)) t(id, b, t, s, i, l, f, d, n, v, x, day, moment)
            """;
        (await lake.RunAsync(Load(lake, database, sql, LoadMode.Merge, "id"))).Succeeded().Load!.Inserted.ShouldBe(2);
        (await database.ReadAsync("SELECT b, t, s, i, l, f, d, n, v, encode(x, 'hex'), day::text, moment AT TIME ZONE 'UTC' = '2026-01-02 03:04:05.678901' FROM articles WHERE id = 1"))
            .ShouldBe(["True|1|-2|3|-9223372036854775808|1.5|1E+300|12345678901234.567|ü \"q\" \\|61|1969-12-31|True"]);
        (await database.ReadAsync("SELECT count(*) FROM articles WHERE num_nulls(b, t, s, i, l, f, d, n, v, x, day, moment) = 12")).ShouldBe(["1"]);
    }

    [Fact]
    public async Task Text_becomes_what_an_existing_column_is()
    {
        await using var database = await Database.CreateAsync();
        await using var lake = new TaskLake();
        await database.ExecuteAsync("CREATE TYPE mood AS ENUM ('good', 'bad'); CREATE TABLE articles (id uuid PRIMARY KEY, meta jsonb, raw json, mood mood, views bigint)");
        const string sql = "SELECT '6f927a2e-9c7e-4a1d-9b8d-7a86f2e7f62f' AS id, '{\"a\": 1}' AS meta, '{\"b\": 2}' AS raw, 'good' AS mood, 7 AS views";
        (await lake.RunAsync(Load(lake, database, sql, LoadMode.Merge, "id"))).Succeeded().Load!.Inserted.ShouldBe(1);
        (await lake.RunAsync(Load(lake, database, sql.Replace("good", "bad", StringComparison.Ordinal), LoadMode.Merge, "id"))).Succeeded().Load!.Updated.ShouldBe(1);
        (await database.ReadAsync("SELECT meta->>'a', raw->>'b', mood::text, views FROM articles")).ShouldBe(["1|2|bad|7"]);
    }

    static TaskSpec Articles(TaskLake lake, Database database, string values) => Merge(lake, database, $"SELECT * FROM (VALUES {values}) t(id, publication)") is var spec
        ? spec with { Load = spec.Load! with { Lookups = [new("publication_id", "publications", [new("name", "publication")], "id")] } }
        : throw new InvalidOperationException();

    internal static TaskSpec Merge(TaskLake lake, Database database, string sql) => Load(lake, database, sql, LoadMode.Merge, "id");

    internal static TaskSpec Load(TaskLake lake, Database database, string sql, LoadMode mode, params IReadOnlyList<string> key) =>
        lake.Task(sql) with { Load = new() { Connection = database.Connection, Table = "articles", Mode = mode, Key = key } };
}
