using System.Globalization;
using LeanPipe.Contracts;

namespace LeanPipe.Benchmarks.Pipelines;

/// <summary>Clicks joined with profiles over a hash shuffle, several times larger than what a task may have of memory: once with evenly spread keys, once with one key that holds half of the rows.</summary>
static class Skew
{
    const int Segments = 16;
    const int ClicksPerSegment = 500_000;
    const int Profiles = 200_000;
    const long Memory = 192L << 20;

    static readonly string Clicks = $$"""
        SELECT CAST(CASE WHEN getvariable('skewed') AND i % 2 = 0 THEN 7 ELSE hash(i) % {{Profiles}} END AS BIGINT) AS user_id,
               CAST(hash(i + 1) % 5000 AS BIGINT) AS ms, md5(CAST(i AS VARCHAR)) || md5(CAST(-i AS VARCHAR)) AS page
        FROM (SELECT n * {{ClicksPerSegment}} + r.range AS i FROM raw, range({{ClicksPerSegment}}) r)
        """;

    public static async Task<IReadOnlyList<Result>> MeasureAsync(StepProgram step, string work)
    {
        var limits = new TaskLimits { Threads = 1, MemoryBytes = Memory, ScratchBytes = 4L << 30 };
        await using var lab = await RunsLab.StartAsync(step, Directory.CreateDirectory(Path.Combine(work, "skew")).FullName, """
            pipeline: p
            params: { skewed: { type: bool } }
            steps:
              clicks: { inputs: { raw: { stream: telemetry } }, fan_out: { files: 1 }, sql: clicks.sql }
              profiles: { inputs: { raw: { stream: telemetry } }, sql: profiles.sql }
              joined:
                inputs: { c: clicks, p: profiles }
                fan_out: { hash: [c.user_id, p.user_id], buckets: 16, merge: merge.sql, split_above: 16MB }
                sql: joined.sql
              totals: { inputs: { j: joined }, sql: totals.sql, publish: { table: totals } }
            """, limits,
            ("clicks.sql", Clicks),
            ("profiles.sql", $"SELECT range AS user_id, 'country ' || range % 50 AS country FROM range({Profiles}), raw WHERE raw.n = 0"),
            ("joined.sql", "SELECT c.user_id, any_value(p.country) AS country, count(*) AS n, CAST(sum(c.ms) AS BIGINT) AS ms, max(c.page) AS last FROM c JOIN p USING (user_id) GROUP BY c.user_id"),
            ("merge.sql", "SELECT user_id, any_value(country) AS country, CAST(sum(n) AS BIGINT) AS n, CAST(sum(ms) AS BIGINT) AS ms, max(last) AS last FROM parts GROUP BY user_id"),
            ("totals.sql", "SELECT country, CAST(sum(n) AS BIGINT) AS clicks, CAST(sum(ms) AS BIGINT) AS ms FROM j GROUP BY country"));
        await Runs.SealAsync(lab.Store, "2026-01-01", Segments);
        var (even, evenJoin) = await RunAsync(lab, "even", skewed: false);
        var (skewed, skewedJoin) = await RunAsync(lab, "skewed", skewed: true);
        var bytes = (await lab.StepAsync("even", "clicks")).Chunks.Sum(c => c.Object.Bytes);
        var what = string.Create(CultureInfo.InvariantCulture, $"{Segments * ClicksPerSegment / 1_000_000} million clicks ({bytes / 1_000_000} MB of Parquet) joined with {Profiles} profiles, {Memory >> 20} MB a task");
        return
        [
            new(what, "the run, keys evenly spread", even.TotalSeconds, "s"),
            new(what, "the run, half of the rows under one key", skewed.TotalSeconds, "s"),
            new(what, "one key against evenly spread, the run", skewed / even, "ratio"),
            new(what, "one key against evenly spread, the join's and the merge's tasks", skewedJoin / evenJoin, "ratio"),
        ];
    }

    static async Task<(TimeSpan Run, double JoinSeconds)> RunAsync(RunsLab lab, string run, bool skewed)
    {
        var wall = await lab.RunAsync(run, "2026-01-01", new Dictionary<string, string> { ["skewed"] = skewed ? "true" : "false" });
        var (parts, joined) = (await lab.StepAsync(run, "joined-parts"), await lab.StepAsync(run, "joined"));
        if (parts.RowsIn < (long)Segments * ClicksPerSegment) throw new InvalidOperationException($"The join of run {run} read {parts.RowsIn} rows.");
        // The merging step's manifest counts the buckets that it took over, too.
        return (wall, Math.Max(parts.TaskMs, joined.TaskMs) / 1000.0);
    }
}
