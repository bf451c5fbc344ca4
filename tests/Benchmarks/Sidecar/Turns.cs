using System.Diagnostics;
using Dapr.Workflow;

namespace LeanPipe.Benchmarks.Sidecar;

/// <summary>Turns and nothing else: workflows that continue as new, one durable turn per generation.</summary>
static class Turns
{
    const int Instances = 100;
    const int Generations = 50;

    public static async Task<IReadOnlyList<Result>> MeasureAsync(int runs)
    {
        var many = await Lab.BestAsync(runs, Configure, client => RateAsync(client, Instances, Generations));
        var one = await Lab.BestAsync(runs, Configure, client => RateAsync(client, 1, Generations * 10));
        return [
            new Result($"turns of {Instances} instances side by side", "durable turns", many, "turns/s"),
            new Result("turns of one instance, one after the other", "durable turns", one, "turns/s"),
        ];
    }

    static void Configure(WorkflowRuntimeOptions options) => options.RegisterWorkflow<int, int>("count", (context, left) =>
    {
        if (left > 1)
            context.ContinueAsNew(left - 1);
        return Task.FromResult(left);
    });

    static async Task<double> RateAsync(DaprWorkflowClient client, int instances, int generations)
    {
        var clock = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, instances).Select(async i =>
        {
            var id = await client.ScheduleNewWorkflowAsync("count", $"c{i}", generations);
            await client.WaitForWorkflowCompletionAsync(id, getInputsAndOutputs: false);
        }));
        return instances * generations / clock.Elapsed.TotalSeconds;
    }
}
