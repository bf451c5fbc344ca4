using LeanPipe.Contracts;
using LeanPipe.DuckDb;
using LeanPipe.Lake;
using LeanPipe.StepRunner.Load;

namespace LeanPipe.StepRunner;

/// <summary>One attempt of one task: inputs, SQL, gate, chunks, checks, upload.</summary>
/// <remarks>
/// The order is the guarantee: chunks, then outcome. Whoever reads an attempt reads its outcome first and then only the chunks that it names, all of which are in the
/// lake by then. A crash at any point before leaves an attempt without an outcome, which nobody reads and the sweeper takes. A failure writes an outcome too: one with
/// an error, which names no chunk.
/// </remarks>
/// <param name="engine">For the first session; further ones open their own.</param>
internal sealed class StepTask(IObjectStore lake, TaskSpec spec, int attempt, Scratch scratch, Progress progress, TimeProvider time, DuckDbStart engine, int slices = 1)
{
    DuckDbStart? _engineStart = engine;
    readonly InputFetcher _fetcher = new(lake, scratch);
    readonly DateTimeOffset _startedAt = time.GetUtcNow();
    readonly long _started = time.GetTimestamp();
    TaskTimings _timings = new();
    IReadOnlyList<OutputColumn> _columns = [];
    IReadOnlyList<CheckFinding> _findings = [];
    IReadOnlyList<CheckResult> _checks = [];
    LoadResult? _load;
    string _engine = "duckdb";
    long? _longestLine;

    /// <exception cref="OperationCanceledException">The signal came: there is no outcome.</exception>
    /// <exception cref="LakeException">The outcome could not be written.</exception>
    public async Task<TaskOutcome> RunAsync(CancellationToken signal)
    {
        await using var watch = new Watch(scratch, spec.Limits, progress, time, signal);
        TaskOutcome outcome;
        try
        {
            outcome = Outcome(null, await ChunksAsync(watch));
        }
        catch (OperationCanceledException) when (!signal.IsCancellationRequested && watch.Reason is { } reason)
        {
            outcome = Outcome(reason with { Message = $"Step '{spec.Step}': {reason.Message}" }, []);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            outcome = Outcome(TaskErrors.From(spec.Step, e), []);
        }
        signal.ThrowIfCancellationRequested();
        await lake.PutIfAbsentAsync(LakeLayout.Outcome(spec.Run, spec.Step, spec.Task, attempt), OutcomeDocument.Write(outcome), signal);
        return outcome;
    }

    async Task<IReadOnlyList<Chunk>> ChunksAsync(Watch watch)
    {
        var clock = time.GetTimestamp();
        progress.Report("fetch", 0);
        var paths = await _fetcher.FetchAsync(spec.Inputs, spec.Limits.ScratchBytes, f => progress.Report("fetch", f), watch.Token);
        _timings = _timings with { FetchMs = Lap(ref clock) };

        var (files, facts) = Compute(paths, watch);
        _timings = _timings with { SqlMs = Lap(ref clock) };

        _checks = await KeepRowsAsync(watch.Token);
        Checks.ThrowIfFailed(_checks);
        if (spec.Load is { } load)
        {
            progress.Report("load", 0);
            using var session = DuckDbSession.Open(SessionOptions(paths));
            _load = await new PostgresLoad(spec, load, _columns, Environment.GetEnvironmentVariable, f => progress.Report("load", f)).RunAsync(session, [.. files.Select(f => f.Path)], watch.Token);
            _timings = _timings with { UploadMs = Lap(ref clock) };
            return [];
        }
        progress.Report("upload", 0);
        var chunks = await new ChunkUploader(lake, LakeLayout.Attempt(spec.Run, spec.Step, spec.Task, attempt)).UploadAsync(files, facts, f => progress.Report("upload", f), watch.Token);
        _timings = _timings with { UploadMs = Lap(ref clock) };
        return chunks;
    }

    /// <summary>What the checks found goes to the lake whether the task fails or not; the outcome names it.</summary>
    async Task<IReadOnlyList<CheckResult>> KeepRowsAsync(CancellationToken cancellation)
    {
        var results = new List<CheckResult>();
        foreach (var (result, file) in _findings)
        {
            var key = file is null ? null : LakeLayout.CheckRows(spec.Run, spec.Step, spec.Task, attempt, result.Name);
            if (key is not null) await lake.PutFileAsync(key, file!, cancellation);
            results.Add(result with { Rows = key });
        }
        return results;
    }

    (IReadOnlyList<ChunkFile> Files, IReadOnlyDictionary<string, ParquetFacts> Facts) Compute(IReadOnlyDictionary<string, string> paths, Watch watch)
    {
        try
        {
            return ComputeSlices(paths, watch);
        }
        catch (LeanPipeException e) when (_longestLine is null && e.Message.Contains(LongLines.Refusal, StringComparison.Ordinal))
        {
            _longestLine = LongLines.Longest(spec.Inputs.Where(i => i.Format == InputFormat.Ndjson).SelectMany(i => i.Objects).Select(o => paths[o.Key]).Distinct(), watch.Token);
            if (Directory.Exists(scratch.Chunks)) Directory.Delete(scratch.Chunks, recursive: true);
            return ComputeSlices(paths, watch);
        }
    }

    /// <summary>Slices come one after another, each with an engine of its own, so that what one needed is free for the next.</summary>
    (IReadOnlyList<ChunkFile> Files, IReadOnlyDictionary<string, ParquetFacts> Facts) ComputeSlices(IReadOnlyDictionary<string, string> paths, Watch watch)
    {
        progress.Report("sql", 0);
        var parts = TaskSlices.Of(spec, slices);
        var files = new List<ChunkFile>();
        IReadOnlyDictionary<string, ParquetFacts>? facts = null;
        for (var n = 0; facts is null; n++)
        {
            InSession(paths, watch, parts[n], session =>
            {
                files.AddRange(Write(session, parts[n], n, files, watch));
                if (n + 1 < parts.Count) return;
                // Checks are asked of the whole task.
                if (n > 0) CreateViews(session, spec, paths, watch.Token);
                facts = Finish(session, files, watch);
            });
        }
        return (files, facts);
    }

    void InSession(IReadOnlyDictionary<string, string> paths, Watch watch, TaskSpec part, Action<DuckDbSession> use)
    {
        using var session = Interlocked.Exchange(ref _engineStart, null) is { } started ? DuckDbSession.Open(SessionOptions(paths), started) : DuckDbSession.Open(SessionOptions(paths));
        try
        {
            _engine = $"duckdb {session.EngineVersion}";
            foreach (var param in spec.Params) session.Execute(InputViews.SetVariable(param), cancellation: watch.Token);
            CreateViews(session, part, paths, watch.Token);
            use(session);
        }
        finally
        {
            watch.Observed = null;
        }
    }

    IReadOnlyList<ChunkFile> Write(DuckDbSession session, TaskSpec part, int number, IReadOnlyList<ChunkFile> before, Watch watch)
    {
        var columns = SchemaGate.Pass(StepSql.Describe(session, spec.Sql, watch.Token));
        if (number > 0 && !columns.SequenceEqual(_columns))
            throw new TaskException("step.columns_differ", $"Read in {slices} parts for want of memory, the input yields other columns in part {number + 1} than in the first. Cast them in the SQL, so that they do not depend on the rows.");
        _columns = columns;
        watch.Observed = session;
        var files = new ChunkWriter(session, part, _columns, scratch, number, before).Write(f =>
        {
            watch.Observed = null;
            progress.Report("write", f);
        }, watch.Token);
        watch.Observed = null;
        return files;
    }

    IReadOnlyDictionary<string, ParquetFacts> Finish(DuckDbSession session, IReadOnlyList<ChunkFile> files, Watch watch)
    {
        if (spec.Checks.Count > 0)
        {
            progress.Report("checks", 0);
            session.CreateView(InputViews.Output, InputViews.SelectOutput(_columns, [.. files.Select(f => f.Path)]), watch.Token);
            _findings = new Checks(session, scratch).Run(spec, watch.Token);
        }
        return files.Count == 0 ? new Dictionary<string, ParquetFacts>() : ParquetFacts.Read(session, [.. files.Select(f => f.Path)], _columns, watch.Token);
    }

    void CreateViews(DuckDbSession session, TaskSpec part, IReadOnlyDictionary<string, string> paths, CancellationToken cancellation)
    {
        foreach (var input in part.Inputs) CreateView(session, input, [.. WithBytes(input).Select(o => paths[o.Key])], cancellation);
    }

    /// <summary>A file of lines without a byte has neither rows nor a head to tell columns from; only when there is nothing else it is read.</summary>
    static IReadOnlyList<ObjectRef> WithBytes(TaskInput input) =>
        input.Format != InputFormat.Parquet && input.Objects.Any(o => o.Bytes > 0) ? [.. input.Objects.Where(o => o.Bytes > 0)] : input.Objects;

    void CreateView(DuckDbSession session, TaskInput input, IReadOnlyList<string> paths, CancellationToken cancellation)
    {
        try
        {
            session.CreateView(input.Name, InputViews.Select(input, paths, _longestLine), cancellation);
        }
        catch (DuckDbException e) when (e.Code is "duckdb.sql" or "duckdb.not_one_select")
        {
            throw new TaskException("task.input_unreadable", $"Input '{input.Name}' ({input.Objects.Count} objects) cannot be read as {input.Format}: {e.Message}", inner: e);
        }
    }

    /// <remarks>The limit on memory is the container's, so a fifth of it stays for what DuckDB does not count: this process itself, and allocations outside its buffers.</remarks>
    DuckDbSessionOptions SessionOptions(IReadOnlyDictionary<string, string> paths) => new()
    {
        ScratchDirectory = scratch.Root,
        ReadablePaths = [.. paths.Values],
        Threads = Math.Max(1, spec.Limits.Threads),
        MemoryLimitBytes = Math.Max(16L << 20, spec.Limits.MemoryBytes / 5 * 4),
        SpillLimitBytes = Math.Max(0, spec.Limits.ScratchBytes - _fetcher.DownloadedBytes),
        // A staged table is cut by row number, and a cut must keep its rows' order; a stream promises none, and needs less memory without.
        PreserveInsertionOrder = ChunkWriter.IsStaged(spec.Output),
    };

    TaskOutcome Outcome(TaskError? error, IReadOnlyList<Chunk> chunks) => new()
    {
        Run = spec.Run,
        Step = spec.Step,
        Task = spec.Task,
        Attempt = attempt,
        Error = error,
        RowsIn = spec.Inputs.Sum(i => i.Objects.Sum(o => o.Rows)),
        BytesIn = spec.Inputs.Sum(i => i.Objects.Sum(o => o.Bytes)),
        RowsOut = _load?.Rows ?? chunks.Sum(c => c.Object.Rows),
        BytesOut = chunks.Sum(c => c.Object.Bytes),
        Columns = _columns,
        Chunks = chunks,
        Checks = _checks,
        Load = _load,
        Timings = _timings with { TotalMs = (long)time.GetElapsedTime(_started).TotalMilliseconds },
        PeakMemoryBytes = PeakMemory.Bytes(),
        Engine = _engine,
        StartedAt = _startedAt,
    };

    long Lap(ref long clock)
    {
        var now = time.GetTimestamp();
        var elapsed = time.GetElapsedTime(clock, now);
        clock = now;
        return (long)elapsed.TotalMilliseconds;
    }
}
