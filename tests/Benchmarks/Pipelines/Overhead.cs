using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Benchmarks.Pipelines;

/// <summary>What a task costs that has nothing to do: a process, DuckDB opened, one row, one chunk, one outcome.</summary>
static class Overhead
{
    const int Tasks = 40;

    public static async Task<IReadOnlyList<Result>> MeasureAsync(StepProgram step, string work)
    {
        var lake = new LakeOptions { Root = Path.Combine(work, "lake") };
        var store = ObjectStores.Open(lake);
        var scratch = Directory.CreateDirectory(Path.Combine(work, "scratch")).FullName;
        var spent = new List<Spent>();
        for (var n = 0; n < Tasks; n++)
            spent.Add(step.Run(await Segments.PlanAsync(store, $"empty-{n}", "SELECT 1 AS one", [], new TaskOutput(), 256L << 20), lake, scratch));
        var wall = spent.Select(s => s.Wall.TotalMilliseconds).Order().ToList();
        var cpu = spent.Select(s => s.Cpu.TotalMilliseconds).Order().ToList();
        const string What = "a task of SELECT 1, process started to ended";
        return
        [
            new(What, "wall time, p50", wall[Tasks / 2], "ms"), new(What, "wall time, p90", wall[Tasks * 9 / 10], "ms"), new(What, "processor time, p50", cpu[Tasks / 2], "ms"),
        ];
    }
}
