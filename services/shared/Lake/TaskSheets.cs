using System.Globalization;
using System.Runtime.CompilerServices;
using LeanPipe.Contracts;

namespace LeanPipe.Lake;

/// <summary>A step's tasks, out of the objects in which neighbours stand together. A sheet's key tells which: <c>runs/{run}/{step}/tasks/{first}-{count}.json</c>.</summary>
public static class TaskSheets
{
    /// <summary>In the order of tasks. Whole when the step's planning has been answered.</summary>
    public static async Task<IReadOnlyList<TaskSheetKey>> ListAsync(IObjectStore store, RunId run, StepName step, CancellationToken cancellation)
    {
        var keys = new List<TaskSheetKey>();
        await foreach (var item in store.ListAsync(LakeLayout.TaskSheets(run, step), cancellation))
            if (TaskSheetKey.Of(item.Key) is { } key) keys.Add(key);
        keys.Sort((a, b) => a.First.CompareTo(b.First));
        return keys;
    }

    /// <summary>Null when the step has no such task.</summary>
    public static async ValueTask<TaskSpec?> FindAsync(IObjectStore store, RunId run, StepName step, TaskId task, CancellationToken cancellation)
    {
        foreach (var key in await ListAsync(store, run, step, cancellation))
            if (key.Holds(task)) return (await store.GetJsonAsync(key.Key, ContractsJson.Default.TaskSheet, cancellation))?.Find(task);
        return null;
    }

    /// <summary>Every task of the step, in order.</summary>
    public static async IAsyncEnumerable<TaskSpec> ReadAsync(IObjectStore store, RunId run, StepName step, [EnumeratorCancellation] CancellationToken cancellation)
    {
        foreach (var key in await ListAsync(store, run, step, cancellation))
        {
            if (await store.GetJsonAsync(key.Key, ContractsJson.Default.TaskSheet, cancellation) is not { } sheet) continue;
            foreach (var share in sheet.Tasks) yield return share.Of(sheet.Spec);
        }
    }
}

public readonly record struct TaskSheetKey(string Key, int First, int Count)
{
    public bool Holds(TaskId task) => task.Index >= First && task.Index < First + Count;

    /// <summary>How a step runner is told its task: the sheet's key, and in it the number.</summary>
    public string Document(TaskId task) => $"{Key}#{task}";

    /// <summary>Null when the name of the last part is not that of a sheet.</summary>
    public static TaskSheetKey? Of(string key)
    {
        var name = key.AsSpan(key.LastIndexOf('/') + 1);
        var dash = name.IndexOf('-');
        return dash > 0 && name.EndsWith(".json", StringComparison.Ordinal)
            && int.TryParse(name[..dash], NumberStyles.None, CultureInfo.InvariantCulture, out var first)
            && int.TryParse(name[(dash + 1)..^".json".Length], NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            ? new(key, first, count)
            : null;
    }
}
