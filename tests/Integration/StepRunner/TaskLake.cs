using System.Security.Cryptography;
using System.Text;
using LeanPipe.Contracts;
using LeanPipe.DuckDb;
using LeanPipe.Lake;

namespace LeanPipe.Integration.StepRunner;

/// <summary>A lake, the inputs and tasks that a test puts into it, and a folder for scratch that must be empty after each run.</summary>
public sealed class TaskLake : IAsyncDisposable
{
    static readonly RunId Run = new("run-1");
    static readonly StepName Step = new("hourly");

    readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("steprunner-tests-");
    int _tasks;

    public TaskLake(LakeOptions? options = null)
    {
        Options = options ?? new() { Root = Path.Combine(_root.FullName, "lake") };
        Store = ObjectStores.Open(Options);
        Scratch = _root.CreateSubdirectory("scratch");
    }

    public LakeOptions Options { get; }

    public IObjectStore Store { get; }

    public DirectoryInfo Scratch { get; }

    public static SegmentColumn Column(string name, string type, string? readAs = null, string? expression = null) => new(name, readAs ?? type, type, expression);

    public async Task<ObjectRef> PutAsync(string key, string content, long rows = 0)
    {
        var bytes = Encoding.UTF8.GetBytes(content);
        await Store.PutAsync(key, bytes, CancellationToken.None);
        return new(key, bytes.Length, rows, Convert.ToHexStringLower(SHA256.HashData(bytes)));
    }

    /// <summary>An input of one object with a column <c>id</c>.</summary>
    public async Task<TaskInput> IdsAsync(params int[] ids) =>
        new("ids", InputFormat.Ndjson, [Column("id", "BIGINT")], [await PutAsync("raw/ids.ndjson", string.Concat(ids.Select(id => $"{{\"id\":{id}}}\n")), ids.Length)]);

    public TaskSpec Task(string sql, params IReadOnlyList<TaskInput> inputs) => new()
    {
        Run = Run,
        Pipeline = new("telemetry-hourly"),
        Window = WindowId.Parse("2026-01-01T10"),
        Step = Step,
        Task = new(_tasks++),
        Inputs = inputs,
        Sql = sql,
        Output = new(),
        Limits = new() { MemoryBytes = 512L << 20, ScratchBytes = 4L << 30 },
    };

    /// <returns>What a step runner is told.</returns>
    public async Task<string> WriteAsync(TaskSpec spec)
    {
        var key = LakeLayout.TaskSheet(spec.Run, spec.Step, spec.Task, 1);
        await Store.PutJsonAsync(key, TaskSheet.Cut([spec]).Single(), ContractsJson.Default.TaskSheet, CancellationToken.None);
        return new TaskSheetKey(key, spec.Task.Index, 1).Document(spec.Task);
    }

    /// <summary>Runs the task's first attempt as a process to its end.</summary>
    public async Task<StepEnd> RunAsync(TaskSpec spec, int attempt = 1)
    {
        using var process = await StartAsync(spec, attempt);
        return await EndAsync(process, spec, attempt);
    }

    public async Task<StepProcess> StartAsync(TaskSpec spec, int attempt = 1, params IEnumerable<string> more) =>
        StepProcess.Start(Options, ["--task", await WriteAsync(spec), "--attempt", $"{attempt}", "--scratch", Scratch.FullName, .. more]);

    public async Task<StepEnd> EndAsync(StepProcess process, TaskSpec spec, int attempt = 1)
    {
        var (code, output, error) = await process.EndAsync();
        return new(code, output, error, await OutcomeAsync(spec, attempt));
    }

    public ValueTask<TaskOutcome?> OutcomeAsync(TaskSpec spec, int attempt = 1) =>
        Store.GetJsonAsync(LakeLayout.Outcome(spec.Run, spec.Step, spec.Task, attempt), ContractsJson.Default.TaskOutcome, CancellationToken.None);

    /// <summary>Rows of the chunks in their order, as DuckDB prints them; FROM <c>chunks</c>, which has the columns <c>filename</c> and <c>file_row_number</c> too.</summary>
    public async Task<IReadOnlyList<string>> ReadAsync(IEnumerable<Chunk> chunks, string select)
    {
        var folder = _root.CreateSubdirectory(Guid.NewGuid().ToString("N"));
        var paths = new List<string>();
        foreach (var chunk in chunks)
        {
            var path = Path.Combine(folder.FullName, Path.GetFileName(chunk.Object.Key));
            await using var file = File.Create(path);
            await using var source = (await Store.OpenAsync(chunk.Object.Key, 0, null, CancellationToken.None)).ShouldNotBeNull();
            await source.CopyToAsync(file);
            paths.Add($"'{path}'");
        }
        using var session = DuckDbSession.Open(new() { ScratchDirectory = folder.FullName });
        session.CreateView("chunks", $"SELECT * FROM read_parquet([{string.Join(", ", paths)}], filename = true, file_row_number = true)");
        using var rows = session.Query(select);
        var lines = new List<string>();
        while (rows.Read()) lines.Add(string.Join('|', Enumerable.Range(0, rows.Names.Count).Select(i => Convert.ToString(rows.GetValue(i), System.Globalization.CultureInfo.InvariantCulture))));
        return lines;
    }

    public async ValueTask DisposeAsync()
    {
        if (Options.IsS3)
            await foreach (var item in Store.ListAsync("", CancellationToken.None)) await Store.DeleteAsync(item.Key, CancellationToken.None);
        (Store as IDisposable)?.Dispose();
        _root.Delete(recursive: true);
    }
}

public sealed record StepEnd(int ExitCode, IReadOnlyList<string> Output, string Error, TaskOutcome? Outcome)
{
    /// <summary>The outcome of a run that succeeded.</summary>
    public TaskOutcome Succeeded()
    {
        ExitCode.ShouldBe(0, Error);
        return Outcome.ShouldNotBeNull();
    }

    /// <summary>The error of a run that failed for good; it stands in the outcome and on standard error alike.</summary>
    public TaskError Failed(string code)
    {
        ExitCode.ShouldBe(1, Error);
        var error = Outcome.ShouldNotBeNull().Error.ShouldNotBeNull();
        error.Code.ShouldBe(code, error.Message);
        Error.ShouldBe($"steprunner: {error.Code}: {error.Message}\n");
        Outcome.Chunks.ShouldBeEmpty();
        return error;
    }
}
