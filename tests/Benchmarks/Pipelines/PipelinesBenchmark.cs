namespace LeanPipe.Benchmarks.Pipelines;

/// <summary>What the steps cost against DuckDB alone, what an empty task costs, and how fast many tasks go.</summary>
static class PipelinesBenchmark
{
    public static async Task<IReadOnlyList<Result>> MeasureAsync(int runs)
    {
        var work = Directory.CreateTempSubdirectory("leanpipe-benchmark-");
        try
        {
            var step = await StepProgram.PublishAsync(Path.Combine(work.FullName, "steprunner"));
            var results = new List<Result>();
            results.AddRange(await Overhead.MeasureAsync(step, work.FullName));
            results.AddRange(await Compaction.MeasureAsync(step, work.FullName, runs));
            results.AddRange(await Runs.MeasureAsync(step, work.FullName));
            results.AddRange(await Skew.MeasureAsync(step, work.FullName));
            return results;
        }
        finally
        {
            work.Delete(recursive: true);
        }
    }
}
