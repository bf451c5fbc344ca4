using System.Diagnostics;
using Dapr.Workflow;

namespace LeanPipe.Benchmarks.Sidecar;

/// <summary>One workflow that waits for a thousand activities which do nothing: every result durable, from the start to the completion.</summary>
static class FanOut
{
    const int Activities = 1000;

    public static async Task<IReadOnlyList<Result>> MeasureAsync(int runs) =>
        [new Result($"fan-out of {Activities} no-op activities", "durable activities", await Lab.BestAsync(runs, Configure, RateAsync), "activities/s")];

    static void Configure(WorkflowRuntimeOptions options)
    {
        options.RegisterActivity<int, int>("nothing", (_, i) => Task.FromResult(i));
        options.RegisterWorkflow<int, int>("fan", async (context, count) =>
            (await Task.WhenAll(Enumerable.Range(0, count).Select(i => context.CallActivityAsync<int>("nothing", i)))).Length);
    }

    static async Task<double> RateAsync(DaprWorkflowClient client)
    {
        var clock = Stopwatch.StartNew();
        var id = await client.ScheduleNewWorkflowAsync("fan", "f1", Activities);
        var state = await client.WaitForWorkflowCompletionAsync(id);
        if (state.ReadOutputAs<int>() != Activities)
            throw new InvalidOperationException("the fan-out did not come back whole");
        return Activities / clock.Elapsed.TotalSeconds;
    }
}
