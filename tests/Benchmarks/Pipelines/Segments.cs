using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Benchmarks.Pipelines;

/// <summary>Telemetry as the gateway would have stored it: segments of 64 MB, lines near 121 bytes.</summary>
static class Segments
{
    const int SegmentBytes = 64 * 1024 * 1024;

    static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public static readonly IReadOnlyList<SegmentColumn> Columns =
    [
        new("sensor_id", "BIGINT", "BIGINT"), new("kind", "VARCHAR", "VARCHAR"), new("value", "DOUBLE", "DOUBLE"), new("seq", "BIGINT", "BIGINT"),
        new("timestamp", "BIGINT", "TIMESTAMPTZ", "make_timestamptz(\"timestamp\" * 1000)"),
    ];

    /// <summary>Writes them into a folder; the references have keys below <c>raw/</c>.</summary>
    public static async Task<IReadOnlyList<ObjectRef>> WriteAsync(IObjectStore store, long bytes)
    {
        var (segments, random, row) = (new List<ObjectRef>(), new Random(1), 0L);
        for (var left = bytes; left > 0;)
        {
            var text = new StringBuilder(SegmentBytes + 256);
            var from = row;
            for (var size = Math.Min(left, SegmentBytes); text.Length < size; row++)
                text.Append(CultureInfo.InvariantCulture, $$"""{"sensor_id":{{random.Next(1, 2000)}},"kind":"{{(row % 3 == 0 ? "Humidity" : "Temperature")}}","value":{{random.Next(-4000, 12000) / 100.0}},"seq":{{1_000_000_000_000 + row}},"timestamp":{{(Start + TimeSpan.FromMilliseconds(row / 4 + random.Next(2000))).ToUnixTimeMilliseconds()}}}""").Append('\n');
            var content = Encoding.UTF8.GetBytes(text.ToString());
            var key = $"raw/telemetry/date=2026-01-01/{segments.Count:D4}.ndjson";
            await store.PutAsync(key, content, default);
            segments.Add(new(key, content.Length, row - from, Convert.ToHexStringLower(SHA256.HashData(content))));
            left -= content.Length;
        }
        return segments;
    }

    public static async Task<TaskSpec> PlanAsync(IObjectStore store, string run, string sql, IReadOnlyList<ObjectRef> segments, TaskOutput output, long memory)
    {
        var task = new TaskSpec
        {
            Run = new(run),
            Pipeline = new("bench"),
            Window = WindowId.Parse("2026-01-01"),
            Step = new("compact"),
            Task = new(0),
            Inputs = segments.Count == 0 ? [] : [new("raw", InputFormat.Ndjson, Columns, segments)],
            Sql = sql,
            Output = output,
            Limits = new() { Threads = Environment.ProcessorCount, MemoryBytes = memory, ScratchBytes = 20L << 30 },
        };
        await store.PutJsonAsync(LakeLayout.LoneTask(task.Run, task.Step, task.Task), task, ContractsJson.Default.TaskSpec, default);
        return task;
    }
}
