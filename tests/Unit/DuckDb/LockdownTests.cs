using LeanPipe.Contracts;
using LeanPipe.DuckDb;

namespace LeanPipe.Unit.DuckDb;

public sealed class LockdownTests : IDisposable
{
    // Table functions that look at the session, at values they are given, or at files, which the session's settings guard.
    static readonly string[] OnlyReading =
    [
        "check_peg_parser", "duckdb_approx_database_count", "duckdb_columns", "duckdb_connection_count", "duckdb_constraints", "duckdb_coordinate_systems", "duckdb_databases",
        "duckdb_dependencies", "duckdb_extensions", "duckdb_external_file_cache", "duckdb_functions", "duckdb_indexes", "duckdb_keywords", "duckdb_log_contexts", "duckdb_logs",
        "duckdb_memory", "duckdb_optimizers", "duckdb_prepared_statements", "duckdb_schemas", "duckdb_secret_types", "duckdb_secrets", "duckdb_sequences", "duckdb_settings",
        "duckdb_table_sample", "duckdb_tables", "duckdb_temporary_files", "duckdb_types", "duckdb_variables", "duckdb_views", "generate_series", "glob", "icu_calendar_names",
        "json_each", "json_tree", "parquet_bloom_probe", "parquet_file_metadata", "parquet_full_metadata", "parquet_kv_metadata", "parquet_metadata", "parquet_scan",
        "parquet_schema", "pg_timezone_names", "pragma_collations", "pragma_database_size", "pragma_metadata_info", "pragma_platform", "pragma_show", "pragma_storage_info",
        "pragma_table_info", "pragma_user_agent", "pragma_version", "query_table", "range", "read_blob", "read_csv", "read_csv_auto", "read_duckdb", "read_json",
        "read_json_auto", "read_json_objects", "read_json_objects_auto", "read_ndjson", "read_ndjson_auto", "read_ndjson_objects", "read_parquet", "read_text", "repeat",
        "repeat_row", "seq_scan", "sniff_csv", "sql_auto_complete", "summary", "test_all_types", "test_vector_types", "unnest", "which_secret",
    ];

    readonly SessionFolder _folder = new();

    [Theory]
    [InlineData("SELECT * FROM read_text('/etc/passwd')")]
    [InlineData("SELECT * FROM read_csv('/etc/passwd')")]
    [InlineData("SELECT * FROM sniff_csv('/etc/passwd')")]
    [InlineData("SELECT * FROM '/etc/passwd.csv'")]
    [InlineData("SELECT * FROM glob('/etc/*')")]
    [InlineData("SELECT * FROM read_blob('/proc/self/environ')")]
    [InlineData("SELECT * FROM parquet_metadata('/etc/passwd')")]
    [InlineData("SELECT * FROM read_text('{scratch}/../outside.txt')")]
    [InlineData("SELECT * FROM read_text('{scratch}/link-to-outside.txt')")]
    [InlineData("SELECT * FROM read_text('{scratch}/link-to-folder/outside.txt')")]
    [InlineData("SELECT * FROM read_text('{scratch}-2/other.txt')")]
    [InlineData("SELECT * FROM read_parquet('https://example.org/a.parquet')")]
    [InlineData("SELECT * FROM read_csv('s3://bucket/a.csv')")]
    public void A_select_cannot_read_outside_of_its_folders(string select)
    {
        File.WriteAllText(_folder.Outside("outside.txt"), "secret");
        File.CreateSymbolicLink(_folder.Inside("link-to-outside.txt"), _folder.Outside("outside.txt"));
        File.CreateSymbolicLink(_folder.Inside("link-to-folder"), _folder.Outside(""));
        Directory.CreateDirectory(_folder.Scratch + "-2");
        File.WriteAllText(_folder.Scratch + "-2/other.txt", "secret");
        using var session = _folder.Open();

        var refused = Should.Throw<DuckDbException>(() => session.Rows(select.Replace("{scratch}", _folder.Scratch)));

        refused.Code.ShouldBe("duckdb.permission");
    }

    [Theory]
    [InlineData("COPY (SELECT 1) TO '{outside}/a.csv'")]
    [InlineData("COPY (SELECT 1) TO '{scratch}/../a.csv'")]
    [InlineData("COPY (SELECT 1) TO '{scratch}/link-to-folder/a.csv'")]
    [InlineData("ATTACH '{outside}/a.duckdb'")]
    [InlineData("EXPORT DATABASE '{outside}/export'")]
    [InlineData("IMPORT DATABASE '{outside}'")]
    [InlineData("INSTALL httpfs")]
    [InlineData("LOAD httpfs")]
    [InlineData("LOAD '{outside}/evil.duckdb_extension'")]
    [InlineData("SET threads = 64")]
    [InlineData("SET memory_limit = '100GB'")]
    [InlineData("RESET memory_limit")]
    [InlineData("SET enable_external_access = true")]
    [InlineData("SET allowed_directories = ['/']")]
    [InlineData("SET lock_configuration = false")]
    [InlineData("SET temp_directory = '/tmp'")]
    [InlineData("SET file_search_path = '/etc'")]
    [InlineData("PRAGMA memory_limit = '100GB'")]
    [InlineData("PRAGMA enable_profiling = 'json'")]
    [InlineData("CREATE SECRET s (TYPE s3, KEY_ID 'a', SECRET 'b')")]
    public void No_statement_at_all_gets_out_of_the_session(string sql)
    {
        File.CreateSymbolicLink(_folder.Inside("link-to-folder"), _folder.Outside(""));
        var before = Directory.GetFileSystemEntries(_folder.Outside(""));
        using var session = _folder.Open();

        Should.Throw<DuckDbException>(() => session.Execute(sql.Replace("{scratch}", _folder.Scratch).Replace("{outside}", _folder.Outside(""))));

        Directory.GetFileSystemEntries(_folder.Outside("")).ShouldBe(before);
    }

    [Theory]
    [InlineData("SELECT * FROM read_duckdb('/etc/passwd')")]
    [InlineData("SELECT * FROM read_text('file:/etc/passwd')")]
    [InlineData("SELECT * FROM read_text('file://{scratch}/../../../etc/passwd')")]
    [InlineData("SELECT * FROM read_text('/dev/stdin')")]
    [InlineData("SELECT * FROM parquet_bloom_probe('/etc/passwd', 'a', 1)")]
    [InlineData("SELECT * FROM glob('{scratch}/../*')")]
    public void No_other_function_or_spelling_reads_outside(string select)
    {
        using var session = _folder.Open();
        Should.Throw<DuckDbException>(() => session.Rows(select.Replace("{scratch}", _folder.Scratch))).Code.ShouldBe("duckdb.permission");
    }

    [Fact]
    public void Every_table_function_of_the_engine_is_known_to_read_only_or_is_refused()
    {
        using var session = _folder.Open();
        var functions = session.Rows("SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type = 'table' ORDER BY 1").Select(r => (string)r[0]!).ToList();

        functions.Where(f => session.FindRefusal($"SELECT * FROM {f}()") is null).Except(OnlyReading).ShouldBeEmpty("a newer engine has functions that nobody has judged yet");
        functions.ShouldContain("enable_profiling");
    }

    [Fact]
    public void The_environment_cannot_be_read()
    {
        using var session = _folder.Open();
        Should.Throw<DuckDbException>(() => session.Rows("SELECT getenv('HOME')")).Message.ShouldContain("getenv");
    }

    [Fact]
    public void Readable_files_and_folders_are_read_in_place()
    {
        Directory.CreateDirectory(_folder.Outside("lake/deep"));
        File.WriteAllText(_folder.Outside("lake/deep/a.csv"), "x\n1\n");
        File.WriteAllText(_folder.Outside("it's one.csv"), "x\n2\n");
        File.WriteAllText(_folder.Outside("another.csv"), "x\n3\n");
        using var session = _folder.Open(_folder.Outside("lake"), _folder.Outside("it's one.csv"));

        session.Scalar($"SELECT x FROM read_csv('{_folder.Outside("lake")}/**/*.csv')").ShouldBe(1L);
        session.Scalar($"SELECT x FROM read_csv('{_folder.Outside("it''s one.csv")}')").ShouldBe(2L);
        Should.Throw<DuckDbException>(() => session.Rows($"SELECT x FROM read_csv('{_folder.Outside("another.csv")}')"));
    }

    [Fact]
    public void A_scratch_folder_reached_through_a_link_works()
    {
        File.CreateSymbolicLink(_folder.Outside("link"), _folder.Scratch);
        File.WriteAllText(_folder.Inside("a.csv"), "x\n1\n");
        using var session = SessionFolder.Open(new DuckDbSessionOptions { ScratchDirectory = _folder.Outside("link") });

        session.Scalar($"SELECT x FROM read_csv('{_folder.Outside("link")}/a.csv')").ShouldBe(1L);
    }

    [Fact]
    public void Broken_options_are_all_named()
    {
        var options = new DuckDbSessionOptions { ScratchDirectory = "/nowhere/a", ReadablePaths = ["/nowhere/b"], Threads = 0, MemoryLimitBytes = 1, SpillLimitBytes = -1 };

        var message = Should.Throw<LeanPipeException>(() => DuckDbSession.Open(options)).Message;

        foreach (var word in new[] { "/nowhere/a", "/nowhere/b", "Threads", "MemoryLimitBytes", "SpillLimitBytes" })
            message.ShouldContain(word);
    }

    public void Dispose() => _folder.Dispose();
}
