using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using LeanPipe.Contracts;
using LeanPipe.Lake;
using LeanPipe.Tables;

namespace LeanPipe.Integration.Housekeeping;

/// <summary>A clock that tests set.</summary>
sealed class SetTime(DateTimeOffset now) : TimeProvider
{
    public DateTimeOffset Now { get; set; } = now;

    public override DateTimeOffset GetUtcNow() => Now;
}

/// <summary>A lake as a month of work leaves it, from a seed: windows, runs in every state, a table, a cache, rejects, orphans. It remembers which objects must stay, whatever a policy says.</summary>
sealed class RandomLake(IObjectStore store, int seed)
{
    public static readonly StreamName Stream = new("s");
    public static readonly PipelineName Pipeline = new("p");
    public static readonly TableName Table = new("t");
    public static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    static readonly IReadOnlyList<OutputColumn> Columns = [new("v", "VARCHAR")];
    static readonly StepName Step = new("compact");

    readonly Random random = new(seed);
    readonly List<(string Outcome, string Chunk)> results = [];

    static CancellationToken Token => TestContext.Current.CancellationToken;

    public SetTime Time { get; } = new(Start);

    /// <summary>Named by an unfinished run, or written by one.</summary>
    public HashSet<string> MustStay { get; } = [];

    /// <summary>A cache entry's key, and what it names.</summary>
    public Dictionary<string, string[]> Cached { get; } = [];

    /// <summary>Segments by window, and whether a completed run has read and published the window's newest revision.</summary>
    public Dictionary<string, (string[] Segments, DateTimeOffset SealedAt, bool Read)> Windows { get; } = [];

    public static PipelineDefinition Definition => new()
    {
        Name = Pipeline,
        TriggerSealed = Stream,
        Steps = [new() { Name = Step, Inputs = new Dictionary<string, InputDefinition> { ["raw"] = new StreamInput(Stream) }, Sql = "FROM raw", Publish = new(Table) }],
    };

    public async Task BuildAsync(int days)
    {
        for (var day = 0; day < days; day++)
        {
            Time.Now = Start.AddDays(day);
            var window = WindowId.Of(Time.Now, WindowSize.Day);
            var revisions = random.Next(1, 3);
            var segments = new List<ObjectRef>();
            for (var revision = 1; revision <= revisions; revision++)
            {
                for (var n = random.Next(1, 4); n > 0; n--) segments.Add(await PutAsync(LakeLayout.Segment(Stream, window, $"g-{revision}-{n}"), $"{window} {revision} {n}", random.Next(1, 50)));
                var manifest = new WindowManifest { Stream = Stream, Window = window, Revision = revision, SealedAt = Time.Now, Reason = "watermark", Schema = "s", Columns = [], Segments = [.. segments] };
                await JsonAsync(LakeLayout.WindowManifest(Stream, window, revision), manifest, ContractsJson.Default.WindowManifest);
                var read = await RunAsync(manifest, $"{Pipeline}-{window}-r{revision}");
                if (random.Next(4) == 0) read |= await RunAsync(manifest, $"{Pipeline}-{window}-r{revision}-again");
                Windows[window.Value] = ([.. segments.Select(s => s.Key)], Time.Now, read);
                Time.Now = Time.Now.AddHours(1);
            }
            if (random.Next(2) == 0) await PutAsync(LakeLayout.Rejected(Stream, window, "x"), "bad", 1);
            if (random.Next(3) == 0) await PutAsync($"{LakeLayout.Table(Table)}window={window}/p/orphan-{day}.parquet", $"orphan {day}", 1);
            if (random.Next(3) == 0) await PutAsync(LakeLayout.Segment(Stream, window, "not-sealed-yet"), "young", 1);
        }
    }

    async Task<bool> RunAsync(WindowManifest manifest, string name)
    {
        var run = new RunId(name);
        var plan = new RunPlan
        {
            Run = run,
            Request = new(Pipeline, manifest.Window),
            Pipeline = Pipeline,
            Window = manifest.Window,
            Revision = manifest.Revision,
            PlannedAt = Time.Now,
            Params = [],
            Steps =
            [
                new()
                {
                    Name = Step, Sql = "FROM raw", Needs = [], Output = new(), Publish = new(Table),
                    Inputs = [new() { Name = "raw", Format = InputFormat.Ndjson, Objects = manifest.Segments, Source = LakeLayout.WindowManifest(Stream, manifest.Window, manifest.Revision) }],
                },
            ],
        };
        var mine = new List<string>();
        mine.Add(await JsonAsync(LakeLayout.RunPlan(run), plan, ContractsJson.Default.RunPlan));
        // How far it came: 0 planned … 3 committed, 4 published, 5 recorded.
        var reached = random.Next(10) switch { 0 => random.Next(0, 5), _ => 5 };
        var chunks = new List<Chunk>();
        for (var task = 0; task < manifest.Segments.Count && reached > 0; task++)
            if (await TaskAsync(run, new(task), [manifest.Segments[task]], reached > 1, mine) is { } chunk) chunks.Add(chunk);
        if (reached >= 3)
        {
            mine.Add(await JsonAsync(LakeLayout.StepManifest(run, Step), new() { Run = run, Step = Step, Columns = Columns, Chunks = chunks, Tasks = manifest.Segments.Count, RowsIn = manifest.Rows, RowsOut = 1, TaskMs = 1, CommittedAt = Time.Now }, ContractsJson.Default.StepManifest));
            await PutAsync(LakeLayout.TaskRecords(run, Step), "{}\n", 1);
        }
        var failed = reached == 5 && random.Next(6) == 0;
        var published = reached >= 4 && !failed ? await TablePublisher.PublishAsync(store, new(Table), PublishOrigin.Of(plan), Columns, chunks, Time, Token) : null;
        if (reached == 5)
        {
            var record = new RunRecord { Run = run, Pipeline = Pipeline, Window = manifest.Window, Revision = manifest.Revision, Status = failed ? RunStatus.Failed : RunStatus.Completed, StartedAt = Time.Now, EndedAt = Time.Now, Steps = [], Published = published is null ? [] : [published] };
            await JsonAsync(LakeLayout.RunRecord(run), record, ContractsJson.Default.RunRecord);
        }
        // One that has a record and runs again, by the orchestrator's mark.
        var again = reached == 5 && random.Next(12) == 0;
        if (again) await PutAsync(LakeLayout.RunningRun(run), "{}", 1);
        if (reached < 5 || again)
        {
            MustStay.UnionWith(mine);
            MustStay.UnionWith(manifest.Segments.Select(s => s.Key));
            MustStay.UnionWith(chunks.Select(c => c.Object.Key));
        }
        // While it runs again, its own record proves nothing.
        return reached == 5 && !failed && !again;
    }

    async Task<Chunk?> TaskAsync(RunId run, TaskId task, IReadOnlyList<ObjectRef> inputs, bool committed, List<string> mine)
    {
        var spec = new TaskSpec { Run = run, Pipeline = Pipeline, Window = WindowId.Parse("2026-01-01"), Step = Step, Task = task, Inputs = [new("raw", InputFormat.Ndjson, [], inputs)], Sql = "FROM raw", Output = new(), Limits = new() };
        mine.Add(await JsonAsync(LakeLayout.TaskSheet(run, Step, task, 1), TaskSheet.Cut([spec]).Single(), ContractsJson.Default.TaskSheet));
        if (committed && results.Count > 0 && random.Next(4) == 0)
        {
            // The result of an equal task of another run.
            var (reused, key) = results[random.Next(results.Count)];
            if (await store.GetJsonAsync(reused, ContractsJson.Default.TaskOutcome, Token) is { } old && old.RowsIn == inputs.Sum(i => i.Rows))
            {
                mine.Add(await JsonAsync(LakeLayout.TaskCommit(run, Step, task), new(0, reused), ContractsJson.Default.TaskCommit));
                mine.Add(reused);
                return new(old.Chunks[0].Object with { Key = key });
            }
        }
        var winner = random.Next(1, 4);
        Chunk? won = null;
        for (var attempt = 1; attempt <= winner; attempt++)
        {
            mine.Add(await JsonAsync(LakeLayout.AttemptStarted(run, Step, task, attempt), new TaskCommit(attempt, "-"), ContractsJson.Default.TaskCommit));
            var chunk = await PutAsync($"{LakeLayout.Attempt(run, Step, task, attempt)}part-0.parquet", $"{run} {task} {attempt}", 1);
            mine.Add(chunk.Key);
            won = new(chunk);
            var outcome = new TaskOutcome { Run = run, Step = Step, Task = task, Attempt = attempt, RowsIn = inputs.Sum(i => i.Rows), RowsOut = 1, Columns = Columns, Chunks = [won], Timings = new(), Engine = "e", StartedAt = Time.Now };
            mine.Add(await JsonAsync(LakeLayout.Outcome(run, Step, task, attempt), outcome, ContractsJson.Default.TaskOutcome));
        }
        if (!committed) return null;
        var result = LakeLayout.Outcome(run, Step, task, winner);
        mine.Add(await JsonAsync(LakeLayout.TaskCommit(run, Step, task), new(winner, result), ContractsJson.Default.TaskCommit));
        results.Add((result, won!.Object.Key));
        if (random.Next(3) == 0)
        {
            var entry = LakeLayout.CacheEntry($"{seed}-{results.Count}");
            await JsonAsync(entry, new() { Outcome = result, Run = run, Step = Step, Task = task, At = Time.Now }, ContractsJson.Default.CacheEntry);
            Cached[entry] = [result, won.Object.Key];
        }
        return won;
    }

    async Task<string> JsonAsync<T>(string key, T value, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
    {
        await WriteAsync(key, JsonSerializer.SerializeToUtf8Bytes(value, type));
        return key;
    }

    async Task<ObjectRef> PutAsync(string key, string content, long rows)
    {
        var bytes = Encoding.UTF8.GetBytes(content);
        await WriteAsync(key, bytes);
        return new(key, bytes.Length, rows, Convert.ToHexStringLower(SHA256.HashData(bytes)));
    }

    // Straight into the folder: many objects, whose durability nobody looks at here.
    async Task WriteAsync(string key, byte[] bytes)
    {
        var path = store.LocalPath(key)!;
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await File.WriteAllBytesAsync(path, bytes, Token);
        File.SetLastWriteTimeUtc(path, Time.Now.UtcDateTime);
    }
}
