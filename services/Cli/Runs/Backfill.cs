using LeanPipe.Contracts;
using LeanPipe.Lake;
using LeanPipe.Orchestrator;
using LeanPipe.Tables;

namespace LeanPipe.Cli.Runs;

enum BackfillState
{
    /// <summary>A completed run did what the document and the parameters say now, over the window's newest revision, and its rows are those that stand.</summary>
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
        var (chosen, isCurrent) = await ChooseAsync(first, request, digest, stop);
        choose(chosen);
        if (isCurrent) return new(request.Window, planned.Revision, chosen, BackfillState.Current);
        await StartAsync(chosen, request, stop);
        var state = await RunWait.ForAsync(api, chosen, stop);
        return new(request.Window, planned.Revision, chosen, state.Completed ? BackfillState.Completed : BackfillState.Failed, state.Completed ? null : state.FailureMessage ?? $"it ended as {state.RuntimeStatus}.");
    }

    /// <summary>The run that makes the window current, or has made it so.</summary>
    /// <remarks>
    /// A run keeps the plan that it began with, and publishes once. So what another document, or other parameters, say gets a run of its own, and so does what a completed run has published and
    /// a later one, of whatever id, has taken the place of.
    /// </remarks>
    async Task<(RunId Run, bool IsCurrent)> ChooseAsync(RunId first, RunRequest request, string digest, CancellationToken stop)
    {
        var other = first.WithTail($"-d{digest[..8]}");
        for (var n = 0; ; n++)
        {
            var run = n switch { 0 => first, 1 => other, _ => other.WithTail($"-{n}") };
            if (await store.GetJsonAsync(LakeLayout.RunPlan(run), ContractsJson.Default.RunPlan, stop) is not { } plan) return (run, false);
            if (plan.Digest != digest) continue;
            var isDone = await store.GetJsonAsync(LakeLayout.RunRecord(run), ContractsJson.Default.RunRecord, stop) is { Status: RunStatus.Completed };
            if ((isDone || plan.Request.IsSameAs(request)) && await StandsAsync(plan, isDone, stop)) return (run, isDone);
        }
    }

    /// <summary>Whether the rows that a run has published, or would publish when it went on, are those of its window. What was planned before the rows that stand there would not take their place.</summary>
    async Task<bool> StandsAsync(RunPlan plan, bool isDone, CancellationToken stop)
    {
        foreach (var publish in plan.Steps.Select(s => s.Publish).OfType<PublishDefinition>().Where(p => p.Mode != PublishMode.Append))
        {
            var table = await DeltaTable.OpenAsync(store, publish.Table, stop);
            if (table is null ? isDone : !table.HoldsWindowOf(plan, TimeProvider.System.GetUtcNow())) return false;
        }
        return true;
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
}
