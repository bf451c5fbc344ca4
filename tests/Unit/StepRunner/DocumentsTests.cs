using System.Text.Json;
using LeanPipe.Contracts;
using LeanPipe.StepRunner;

namespace LeanPipe.Unit.StepRunner;

/// <summary>The hand-written reader and writer against the serialiser that everybody else uses. Every member has a value that is not its default.</summary>
public sealed class DocumentsTests
{
    static readonly TaskSpec Spec = new()
    {
        Version = 3,
        Run = new("r-1"),
        Pipeline = new("p"),
        Window = WindowId.Parse("2026-01-01T10"),
        Step = new("s"),
        Task = new(7),
        Inputs =
        [
            new("raw", InputFormat.Ndjson, [new("a", "BIGINT", "DATE", "x + 1"), new("b", "DOUBLE", "DOUBLE")], [new("k/1", 2, 3, "h1"), new("k/2", 4, 5, "h2")]),
            new("t", InputFormat.Parquet, [], []),
            new("f", InputFormat.Csv, [], [new("k/3", 6, 7, "h3")]),
        ],
        Sql = "SELECT 'ü' AS \"x\"",
        Params = [.. Enum.GetValues<ParamType>().Select(t => new ParamValue($"p{(int)t}", t, "v"))],
        Output = new() { ChunkBytes = 9, OrderBy = ["a", "b"], Hash = new("a", 16, ["b"]), PartitionBy = ["b"], RowGroupRows = 5000, Compression = ChunkCompression.Lz4 },
        Load = new() { Connection = "w", Table = "s.t", Key = ["a", "b"], Mode = LoadMode.Update, Lookups = [new("p_id", "p", [new("n", "m"), new("o", "q")], "id")] },
        Checks = [new("c", "SELECT 1", -1), new("d", "FROM output", 0, CheckSeverity.Warn, Rows: true)],
        Split = "raw",
        MaxAttempts = 4,
        Cache = false,
        Limits = new() { Threads = 3, MemoryBytes = 11, ScratchBytes = 12, Timeout = TimeSpan.FromDays(1.5) },
    };

    static readonly TaskOutcome Outcome = new()
    {
        Version = 1,
        Run = new("r-1"),
        Step = new("s"),
        Task = new(7),
        Attempt = 2,
        Error = new("sql.error", "it's <ü> \"so\"\n", Transient: true),
        RowsIn = 1,
        BytesIn = 2,
        RowsOut = 3,
        BytesOut = 4,
        Columns = [new("a", "DECIMAL(18,3)")],
        Chunks =
        [
            new(new("k", 5, 6, "h"), 7, new SortedDictionary<string, ColumnStats> { ["a"] = new("1", "2", 3), ["b"] = new(null, null, 4) }),
            new(new("l", 8, 9, "i")),
        ],
        Checks = [new("c", 1, 2, Passed: true), new("d", 1, null, Passed: false, CheckSeverity.Warn, "k/rows")],
        Load = new(1, 2, 3, Repeated: true, new SortedDictionary<string, long> { ["p"] = 4 }),
        Timings = new(1, 2, 3, 4),
        PeakMemoryBytes = 10,
        Engine = "duckdb v1",
        StartedAt = new(2026, 1, 2, 3, 4, 5, 678, TimeSpan.Zero),
    };

    [Fact]
    public void A_task_is_read_as_the_serialiser_reads_it()
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(Spec, ContractsJson.Default.TaskSpec);
        JsonSerializer.SerializeToUtf8Bytes(TaskDocument.Read(json), ContractsJson.Default.TaskSpec).ShouldBe(json);
        var plain = JsonSerializer.SerializeToUtf8Bytes(Spec with { Output = new() }, ContractsJson.Default.TaskSpec);
        JsonSerializer.SerializeToUtf8Bytes(TaskDocument.Read(plain), ContractsJson.Default.TaskSpec).ShouldBe(plain);
    }

    [Fact]
    public void An_outcome_is_written_as_the_serialiser_writes_it()
    {
        foreach (var outcome in (TaskOutcome[])[Outcome, Outcome with { Error = null, Columns = [], Chunks = [], Checks = [] }])
            System.Text.Encoding.UTF8.GetString(OutcomeDocument.Write(outcome).Span).ShouldBe(JsonSerializer.Serialize(outcome, ContractsJson.Default.TaskOutcome));
    }

    [Theory]
    [InlineData("[]", "Found Array where an object with 'version' was expected.")]
    [InlineData("{\"version\":1}", "'run' is missing.")]
    public void What_is_no_task_is_refused_with_what_was_found(string json, string message) =>
        Should.Throw<JsonException>(() => TaskDocument.Read(System.Text.Encoding.UTF8.GetBytes(json))).Message.ShouldBe(message);
}
