using LeanPipe.Contracts;
using LeanPipe.Lake;
using LeanPipe.Orchestrator;

namespace LeanPipe.Cli.Runs;

enum BackfillState
{
    /// <summary>A completed run did what the document says now, over the window's newest revision.</summary>
    Current,
    Completed,
    Failed,

    /// <summary>The run cannot be planned.</summary>
    Refused,
}

sealed record BackfillWindow(WindowId Window, int Revision, RunId Run, BackfillState State, string? Error = null);

/// <summary>Runs a pipeline over the windows of its leading stream that are not current.</summary>
sealed class Backfill(IObjectStore store, string config, WorkflowApi api)
{
    /// <summary>The sealed windows whose beginning lies in the range, in order.</summary>
    /// <param name="to">Not in the range itself.</param>
    public async Task<IReadOnlyList<WindowId>> WindowsAsync(StreamName stream, WindowId from, WindowId to, CancellationToken stop)
    {
        var windows = new List<WindowId>();
        await foreach (var folder in store.ListFoldersAsync(LakeLayout.Windows(stream), stop))
            if (WindowId.Parse(folder[..^1]) is var window && window.Start >= from.Start && window.Start < to.Start) windows.Add(window);
        return [.. windows.Order()];
    }

    /// <summary>One window. What is wrong with it is in the answer, so that the others go on.</summary>
    public async Task<BackfillWindow> RunAsync(RunRequest request, CancellationToken stop)
    {
        var run = RunId.For(request.Pipeline, request.Window, 1);
        try
        {
            return await BringUpAsync(request, chosen => run = chosen, stop);
        }
        catch (LeanPipeException e)
        {
            return new(request.Window, request.Revision ?? 0, run, BackfillState.Failed, e.Message);
        }
    }

    async Task<BackfillWindow> BringUpAsync(RunRequest request, Action<RunId> choose, CancellationToken stop)
    {
        var planned = await PlanPreview.OutlineAsync(store, config, request, stop);
        var first = RunId.For(request.Pipeline, request.Window, planned.Revision);
        choose(first);
        if (planned.Digest is not { } digest) return new(request.Window, planned.Revision, first, BackfillState.Refused, string.Join(' ', planned.Errors));
        request = request with { Revision = planned.Revision };
        // A run keeps the plan that it began with. So what another document, or other parameters, say gets a run of its own.
        var other = first.WithTail($"-d{digest[..8]}");
        foreach (var run in (RunId[])[first, other])
            if (await IsCompletedAsync(run, digest, stop)) return new(request.Window, planned.Revision, run, BackfillState.Current);
        var taken = await store.GetJsonAsync(LakeLayout.RunPlan(first), ContractsJson.Default.RunPlan, stop);
        var chosen = taken is null || (taken.Digest == digest && taken.Request.IsSameAs(request)) ? first : other;
        choose(chosen);
        await StartAsync(chosen, request, stop);
        var state = await RunWait.ForAsync(api, chosen, stop);
        return new(request.Window, planned.Revision, chosen, state.Completed ? BackfillState.Completed : BackfillState.Failed, state.Completed ? null : state.FailureMessage ?? $"it ended as {state.RuntimeStatus}.");
    }

    /// <summary>One that a backfill before has started, or a trigger, and that is under way is waited for.</summary>
    async Task StartAsync(RunId run, RunRequest request, CancellationToken stop)
    {
        if (await api.FindAsync(run, stop) is { HasEnded: false }) return;
        try
        {
            await api.StartAsync(run, request, stop);
        }
        catch (LeanPipeException) when (!stop.IsCancellationRequested)
        {
            // Somebody was quicker, or the answer was lost.
            if (await api.FindAsync(run, stop) is not { HasEnded: false }) throw;
        }
    }

    async Task<bool> IsCompletedAsync(RunId run, string digest, CancellationToken stop) =>
        await store.GetJsonAsync(LakeLayout.RunRecord(run), ContractsJson.Default.RunRecord, stop) is { Status: RunStatus.Completed } &&
        await store.GetJsonAsync(LakeLayout.RunPlan(run), ContractsJson.Default.RunPlan, stop) is { } plan && plan.Digest == digest;
}
