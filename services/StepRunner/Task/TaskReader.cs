using System.Text.Json;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.StepRunner;

internal static class TaskReader
{
    const int Version = 1;

    /// <param name="name">As <see cref="Arguments.Task"/>.</param>
    /// <exception cref="LeanPipeException">There is no such task, or it is none that this version can run.</exception>
    public static async Task<TaskSpec> ReadAsync(IObjectStore lake, string name, CancellationToken cancellation)
    {
        var (key, number) = name.IndexOf('#') is var hash and > 0 ? (name[..hash], name[(hash + 1)..]) : (name, null);
        var json = await lake.GetAsync(key, cancellation)
            ?? throw new TaskException("task.not_found", $"There is no object '{key}' in {lake.Root}; expected tasks that the orchestrator wrote.");
        TaskSpec spec;
        try
        {
            spec = number is null ? TaskDocument.Read(json) : TaskDocument.ReadSheet(json, number);
        }
        catch (Exception e) when (e is JsonException or LeanPipeException or FormatException or InvalidOperationException)
        {
            throw new TaskException("task.bad_document", $"Object '{name}' of {lake.Root} is no task of version {Version}: {e.Message} Run the step again with an orchestrator of this release.", inner: e);
        }
        if (spec.Version != Version)
            throw new TaskException("task.bad_version", $"Task '{name}' has version {spec.Version}, this step runner reads version {Version}: orchestrator and step runner must be of one release.");
        // The key decides nothing by itself: everything is written where the task's own ids say, and these must be the same place.
        var expected = number is null ? LakeLayout.LoneTask(spec.Run, spec.Step, spec.Task) : LakeLayout.TaskSheets(spec.Run, spec.Step);
        return (number is null ? key == expected : key.StartsWith(expected, StringComparison.Ordinal))
            ? spec
            : throw new TaskException("task.misplaced", $"Task '{name}' says that it is of {expected}; it was copied or renamed. Use the task where the orchestrator wrote it.");
    }
}
