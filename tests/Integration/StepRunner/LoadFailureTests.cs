using LeanPipe.Contracts;
using Npgsql;

namespace LeanPipe.Integration.StepRunner;

/// <summary>What a load refuses, what it says, and what is left after it was cut off: nothing.</summary>
public sealed class LoadFailureTests
{
    [Theory]
    [InlineData("SELECT * FROM (VALUES (1, 'secret'), (1, 'b')) t(id, name)", "load.duplicate_key", "1 keys (id) come more than once")]
    [InlineData("SELECT * FROM (VALUES (NULL, 'secret'), (1, 'b')) t(id, name)", "load.null_key", "1 rows for 'articles' have a null in their key")]
    [InlineData("SELECT 1 AS other", "load.mismatch", "the key 'id' is no column")]
    [InlineData("SELECT 1 AS id, [1, 2] AS name", "load.no_type", "CAST(to_json(name) AS VARCHAR)")]
    [InlineData("SELECT 1::BIGINT AS id, 'a' AS name", "load.mismatch", "column 'id' of the table is integer, and the step's SQL yields bigint")]
    [InlineData("SELECT 1 AS id, 'secret' AS day", "load.value", "22007")]
    [InlineData("SELECT 1 AS id, 'secret' AS name", "load.constraint", "the constraint 'short' is broken")]
    [InlineData("SELECT 1 AS id, NULL::VARCHAR AS must", "load.constraint", "column 'must' takes no null")]
    public async Task Rows_that_cannot_be_loaded_are_told_without_a_value_of_theirs(string sql, string code, string says)
    {
        await using var database = await Database.CreateAsync();
        await using var lake = new TaskLake();
        await database.ExecuteAsync("CREATE TABLE articles (id integer, name text CONSTRAINT short CHECK (length(name) < 3), day date, must text NOT NULL DEFAULT '')");
        var end = await lake.RunAsync(LoadTests.Merge(lake, database, sql));
        end.Failed(code).Message.ShouldContain(says);
        end.Error.ShouldNotContain("secret");
        (await database.ReadAsync("SELECT count(*) FROM articles")).ShouldBe(["0"]);
        // A type that no table takes is refused before the database is asked.
        if (code != "load.no_type") (await database.ReadAsync("SELECT count(*) FROM leanpipe_loads")).ShouldBe(["0"], "what the transaction wrote is gone with it");
    }

    [Fact]
    public async Task A_lookup_that_could_find_two_is_refused_with_what_repairs_it()
    {
        await using var database = await Database.CreateAsync();
        await using var lake = new TaskLake();
        await database.ExecuteAsync("CREATE TABLE publications (id uuid DEFAULT gen_random_uuid(), name text)");
        var spec = LoadTests.Merge(lake, database, "SELECT 1 AS id, 'Times' AS publication");
        spec = spec with { Load = spec.Load! with { Lookups = [new("publication_id", "publications", [new("name", "publication")], "id")] } };
        (await lake.RunAsync(spec)).Failed("load.mismatch").Message.ShouldContain("ALTER TABLE \"publications\" ADD UNIQUE (\"name\")");
    }

    [Fact]
    public async Task Settings_come_by_name_from_the_environment_or_a_file_and_are_in_no_message()
    {
        await using var database = await Database.CreateAsync();
        await using var lake = new TaskLake();
        var variable = $"LEANPIPE_POSTGRES_{database.Connection.ToUpperInvariant()}";
        var spec = LoadTests.Merge(lake, database, "SELECT 1 AS id");
        Environment.SetEnvironmentVariable(variable, null);
        (await lake.RunAsync(spec)).Failed("load.no_connection").Message.ShouldContain(variable);

        var file = Path.Combine(lake.Scratch.Parent!.FullName, "secret");
        await File.WriteAllTextAsync(file, database.Settings.ConnectionString + "\n");
        Environment.SetEnvironmentVariable(variable + "_FILE", file);
        (await lake.RunAsync(spec, attempt: 2)).Succeeded();
        Environment.SetEnvironmentVariable(variable + "_FILE", null);

        Environment.SetEnvironmentVariable(variable, "Host=127.0.0.1;Nonsense=hunter2");
        var wrong = await lake.RunAsync(spec, attempt: 3);
        wrong.Failed("load.no_connection").Message.ShouldNotContain("hunter2");

        // Nobody listens on port 1: worth another attempt.
        Environment.SetEnvironmentVariable(variable, "Host=127.0.0.1;Port=1;Username=u;Password=hunter2;Database=d");
        var away = await lake.RunAsync(spec, attempt: 4);
        (away.ExitCode, away.Outcome!.Error!.Code, away.Outcome.Error.Transient).ShouldBe((3, "load.unreachable", true));
        (away.Error + away.Outcome.Error.Message).ShouldNotContain("hunter2");
    }

    [Fact]
    public async Task A_failed_check_loads_nothing()
    {
        await using var database = await Database.CreateAsync();
        await using var lake = new TaskLake();
        var spec = LoadTests.Merge(lake, database, "SELECT 1 AS id") with { Checks = [new("none", "SELECT count(*) FROM output", 0)] };
        (await lake.RunAsync(spec)).Failed("check.failed");
        (await database.ReadAsync("SELECT to_regclass('articles') IS NULL")).ShouldBe(["True"]);
    }

    [Fact]
    public async Task Killed_in_the_middle_of_a_load_nothing_is_there_and_the_next_attempt_loads_all()
    {
        await using var database = await Database.CreateAsync();
        await using var lake = new TaskLake();
        await database.ExecuteAsync("CREATE TABLE articles (id bigint PRIMARY KEY)");
        var spec = LoadTests.Merge(lake, database, "SELECT range AS id FROM range(1000)");

        // The load waits for the table; the server says so.
        await using (var other = await database.OpenAsync())
        {
            await using var transaction = await other.BeginTransactionAsync(TestContext.Current.CancellationToken);
            await using (var hold = new NpgsqlCommand("LOCK TABLE articles IN SHARE MODE", other)) await hold.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
            using var process = await lake.StartAsync(spec);
            while ((await database.ReadAsync("SELECT count(*) FROM pg_locks WHERE relation = 'articles'::regclass AND NOT granted"))[0] == "0")
                TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            process.Kill();
            await process.EndAsync();
        }

        (await lake.OutcomeAsync(spec)).ShouldBeNull();
        (await lake.RunAsync(spec, attempt: 2)).Succeeded().Load.ShouldBe(new LoadResult(1000, 1000, 0));
        (await database.ReadAsync("SELECT count(*) FROM articles")).ShouldBe(["1000"]);

        // Committed, and then cut off before its outcome: the next attempt finds it done.
        (await lake.RunAsync(spec, attempt: 3)).Succeeded().Load.ShouldBe(new LoadResult(1000, 1000, 0, Repeated: true));
    }
}
