using System.Text.Json;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.StepRunner;

internal static class TaskReader
{
    const int Version = 1;

    /// <exception cref="LeanPipeException">There is no such task, or it is none that this version can run.</exception>
    public static async Task<TaskSpec> ReadAsync(IObjectStore lake, string key, CancellationToken cancellation)
    {
        var json = await lake.GetAsync(key, cancellation)
            ?? throw new TaskException("task.not_found", $"There is no object '{key}' in {lake.Root}; expected a task.json that the orchestrator wrote.");
        TaskSpec spec;
        try
        {
            spec = TaskDocument.Read(json);
        }
        catch (Exception e) when (e is JsonException or LeanPipeException or FormatException or InvalidOperationException)
        {
            throw new TaskException("task.bad_document", $"Object '{key}' of {lake.Root} is no task of version {Version}: {e.Message} Run the step again with an orchestrator of this release.", inner: e);
        }
        if (spec.Version != Version)
            throw new TaskException("task.bad_version", $"Task '{key}' has version {spec.Version}, this step runner reads version {Version}: orchestrator and step runner must be of one release.");
        // The key decides nothing by itself: everything is written where the task's own ids say, and these must be the same place.
        var expected = LakeLayout.TaskSpec(spec.Run, spec.Step, spec.Task);
        return key == expected
            ? spec
            : throw new TaskException("task.misplaced", $"Task '{key}' says that it is {expected}; it was copied or renamed. Use the task where the orchestrator wrote it.");
    }
}
