using System.Collections.Concurrent;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Orchestrator;

/// <param name="Document">How a step runner is told its task.</param>
/// <param name="Of">So many tasks the step has.</param>
readonly record struct SheetTask(TaskSpec Spec, string Document, int Of);

/// <summary>The tasks of the steps that run now. Which sheets a step has is listed once, and the sheet that was read last is kept: its neighbours come next.</summary>
sealed class StepSheets(IObjectStore store)
{
    readonly ConcurrentDictionary<(RunId Run, StepName Step), Known> _steps = new();

    /// <exception cref="LakeException"><c>lake.missing</c></exception>
    public async Task<SheetTask> RequireAsync(RunId run, StepName step, TaskId task, CancellationToken cancellation)
    {
        if (!_steps.TryGetValue((run, step), out var known))
        {
            known = new(await TaskSheets.ListAsync(store, run, step, cancellation));
            if (known.Keys.Count > 0) _steps[(run, step)] = known;
        }
        var found = known.Keys.FirstOrDefault(k => k.Holds(task));
        if (found.Key is null) throw StepWriter.Missing($"{LakeLayout.TaskSheets(run, step)}… with task {task}");
        var sheet = known.Last is { } last && last.Key == found.Key
            ? last.Sheet
            : await store.GetJsonAsync(found.Key, ContractsJson.Default.TaskSheet, cancellation) ?? throw StepWriter.Missing(found.Key);
        known.Last = new(found.Key, sheet);
        return new(sheet.Find(task) ?? throw StepWriter.Missing(found.Document(task)), found.Document(task), known.Keys.Sum(k => k.Count));
    }

    public void Forget(RunId run)
    {
        foreach (var key in _steps.Keys.Where(k => k.Run == run)) _steps.TryRemove(key, out _);
    }

    sealed class Known(IReadOnlyList<TaskSheetKey> keys)
    {
        public IReadOnlyList<TaskSheetKey> Keys { get; } = keys;

        // Replaced whole, by whichever task comes.
        public ReadSheet? Last { get; set; }
    }

    sealed record ReadSheet(string Key, TaskSheet Sheet);
}
