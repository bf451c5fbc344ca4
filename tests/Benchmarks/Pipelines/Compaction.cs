using DuckDB.NET.Data;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Benchmarks.Pipelines;

/// <summary>NDJSON segments to zstd Parquet: a whole task against DuckDB alone on the same files, with the same threads and memory, in turns.</summary>
static class Compaction
{
    public const string Child = "duckdb-alone";
    const long Bytes = 1_000_000_000;
    const long Memory = 4L << 30;
    const string Sql = "SELECT * FROM raw";

    public static async Task<IReadOnlyList<Result>> MeasureAsync(StepProgram step, string work, int runs)
    {
        var folder = new LakeOptions { Root = Path.Combine(work, "lake") };
        var store = ObjectStores.Open(folder);
        var segments = await Segments.WriteAsync(store, Bytes);
        List<(string Name, LakeOptions Lake, IObjectStore Store)> lakes = [("folder", folder, store)];
        if (S3Lake.IsThere)
        {
            var s3 = await S3Lake.NewAsync();
            lakes.Add(("S3", s3, ObjectStores.Open(s3)));
            foreach (var segment in segments) await PutAsync(lakes[1].Store, segment, store.LocalPath(segment.Key)!);
        }

        if (LaptopDuckDb.WhyAbsent is { } reason) await Console.Error.WriteLineAsync($"Left out: DuckDB reading and writing S3 by itself ({reason}).");
        var results = new List<Result>();
        foreach (var order in (string[])["", "sensor_id, timestamp"])
        {
            var paths = segments.Select(s => store.LocalPath(s.Key)!).ToList();
            var (alone, remote, ours) = (new List<Spent>(), new List<Spent>(), lakes.ToDictionary(l => l.Name, _ => new List<Spent>()));
            for (var run = 0; run < runs; run++)
            {
                WarmPages.Touch();
                alone.Add(Alone(work, paths, order));
                if (LaptopDuckDb.WhyAbsent is null)
                {
                    WarmPages.Touch();
                    remote.Add(LaptopDuckDb.Run(lakes[1].Lake, Memory / 5 * 4, Copy(segments.Select(s => $"{lakes[1].Lake.Root}/{s.Key}"), $"{lakes[1].Lake.Root}/alone-{order.Length}-{run}.parquet", order)));
                }
                foreach (var (name, lake, into) in lakes)
                {
                    var output = new TaskOutput { OrderBy = order.Length == 0 ? [] : order.Split(", ") };
                    var task = await Segments.PlanAsync(into, $"compact-{order.Length}-{run}", Sql, segments, output, Memory);
                    WarmPages.Touch();
                    ours[name].Add(step.Run(task, lake, Directory.CreateDirectory(Path.Combine(work, "scratch")).FullName));
                }
            }
            var what = $"1 GB of NDJSON to Parquet zstd{(order.Length == 0 ? "" : $", ordered by {order}")}";
            var best = alone.Min(a => a.Cpu.TotalSeconds);
            results.Add(new(what, "DuckDB alone, processor time", best, "s"));
            results.Add(new(what, "DuckDB alone, wall time", alone.Min(a => a.Wall.TotalSeconds), "s"));
            foreach (var (name, _, _) in lakes)
            {
                results.Add(new(what, $"a task, {name} lake, processor time", ours[name].Min(o => o.Cpu.TotalSeconds), "s"));
                results.Add(new(what, $"a task, {name} lake, wall time", ours[name].Min(o => o.Wall.TotalSeconds), "s"));
                results.Add(new(what, $"a task, {name} lake, processor time against DuckDB alone", ours[name].Min(o => o.Cpu.TotalSeconds) / best, "ratio"));
            }
            if (remote.Count == 0) continue;
            var itself = $"DuckDB {LaptopDuckDb.Version()} reading and writing S3 itself";
            results.Add(new(what, $"{itself}, processor time", remote.Min(r => r.Cpu.TotalSeconds), "s"));
            results.Add(new(what, $"{itself}, wall time", remote.Min(r => r.Wall.TotalSeconds), "s"));
            results.Add(new(what, $"a task, S3 lake, processor time against {itself}", ours["S3"].Min(o => o.Cpu.TotalSeconds) / remote.Min(r => r.Cpu.TotalSeconds), "ratio"));
        }
        if (lakes.Count > 1) await S3Lake.DeleteAsync(lakes[1].Lake);
        return results;
    }

    /// <summary>At once, as the gateway does.</summary>
    static async Task PutAsync(IObjectStore to, ObjectRef segment, string path)
    {
        await using var content = File.OpenRead(path);
        await to.PutAsync(segment.Key, content, segment.Sha256, default);
    }

    /// <summary>In a process of its own, for the kernel to count.</summary>
    static Spent Alone(string work, IEnumerable<string> paths, string order)
    {
        var target = Directory.CreateDirectory(Path.Combine(work, "alone")).FullName;
        var script = Path.Combine(work, "alone.sql");
        File.WriteAllText(script, $$"""
            SET preserve_insertion_order = false;
            SET temp_directory = '{{Path.Combine(work, "spill")}}';
            {{Copy(paths, Path.Combine(target, "all.parquet"), order)}}
            """);
        return StepProgram.Run(new(Environment.ProcessPath!, [Child, script]));
    }

    static string Copy(IEnumerable<string> from, string to, string order)
    {
        var columns = string.Join(", ", Segments.Columns.Select(c => c.Expression is null ? c.Name : $"{c.Expression} AS {c.Name}"));
        var shape = string.Join(", ", Segments.Columns.Select(c => $"{c.Name}: '{c.ReadAs}'"));
        var files = string.Join(", ", from.Select(p => $"'{p}'"));
        var sorted = order.Length == 0 ? "" : $"ORDER BY {order}";
        return $$"""
            COPY (SELECT {{columns}} FROM read_json([{{files}}], format = 'newline_delimited', columns = {{{shape}}}) {{sorted}})
            TO '{{to}}' (FORMAT parquet, COMPRESSION zstd);
            """;
    }

    public static void RunChild(string script)
    {
        using var connection = new DuckDBConnection($"DataSource=:memory:;threads={Environment.ProcessorCount};memory_limit={Memory / 5 * 4}B");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = File.ReadAllText(script);
        command.ExecuteNonQuery();
    }
}
