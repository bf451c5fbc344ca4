using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Cli.Runs;

/// <summary>Under which id a run goes that a person asks for.</summary>
static class RunChoice
{
    /// <summary>The first id that is free, or whose run has not completed and was planned for the same: that one goes on.</summary>
    /// <remarks>
    /// A run keeps the plan that it began with, and commits to a table once. So a run that is asked for again when it is done, or when its document has changed, is another run: with a number behind the id.
    /// What it has in common with the one before it takes from there, but its rows are published as the newest.
    /// </remarks>
    /// <param name="first">What a trigger would take.</param>
    /// <param name="request">With its revision.</param>
    /// <param name="digest">As <see cref="RunPlan.Digest"/>, of the document as it is now.</param>
    public static async Task<RunId> OfAsync(IObjectStore store, RunId first, RunRequest request, string digest, CancellationToken stop)
    {
        for (var n = 1; ; n++)
        {
            var run = n == 1 ? first : first.WithTail($"-{n}");
            if (await store.GetJsonAsync(LakeLayout.RunPlan(run), ContractsJson.Default.RunPlan, stop) is not { } plan) return run;
            if (plan.Digest == digest && plan.Request.IsSameAs(request) &&
                await store.GetJsonAsync(LakeLayout.RunRecord(run), ContractsJson.Default.RunRecord, stop) is not { Status: RunStatus.Completed }) return run;
        }
    }
}
