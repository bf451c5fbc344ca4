using System.CommandLine;
using System.Text.Json;
using LeanPipe.Cli.Output;
using LeanPipe.Cli.Runs;
using LeanPipe.Contracts;
using LeanPipe.Lake;
using LeanPipe.Orchestrator;

namespace LeanPipe.Cli.Commands;

/// <summary>`leanpipe plan PIPELINE --window W`</summary>
static class PlanCommand
{
    /// <summary>Of a step with more tasks the rest is a line.</summary>
    const int ShownTasks = 20;

    public static LeanCommand Create(GlobalOptions globals)
    {
        var (pipeline, window, revision, param) = (RunArguments.Pipeline(), RunArguments.Window(), RunArguments.Revision(), RunArguments.Param());
        var explain = new Option<bool>("--explain") { Description = "Show every task with its objects, rows and bytes" };
        var format = GlobalOptions.Format();
        var command = new LeanCommand(
            "plan", "Show what a run would do, before anything runs: steps, tasks, inputs, bytes, and what would be reused.",
            "leanpipe plan telemetry-hourly --window 2026-01-01T10 --explain") { pipeline, window, revision, param, explain, format };
        return command.Does(globals, async (call, stop) =>
        {
            var parameters = RunArguments.Params(call.Get(param)!);
            var request = new RunRequest(
                RunArguments.Parse<PipelineName>(call.Get(pipeline)!), RunArguments.Parse<WindowId>(call.Get(window)!), call.Get(revision), parameters.Count == 0 ? null : parameters);
            var planned = await PlanPreview.OfAsync(ObjectStores.OpenExisting(call.Lake), call.Home.Config, request, null, stop);
            if (call.WantsJson(format)) await call.Out.WriteLineAsync(JsonSerializer.Serialize(planned, CliJson.Readable.PlannedRun));
            else Write(call.Out, planned, call.Get(explain));
            if (planned.Errors.Count == 0) return ExitCode.Done;
            foreach (var error in planned.Errors) await call.Error.WriteLineAsync($"error: {error}");
            return ExitCode.Failed;
        });
    }

    static void Write(TextWriter output, PlannedRun planned, bool explain)
    {
        if (planned.Errors.Count > 0) return;
        output.WriteLine($"pipeline {planned.Pipeline}, window {planned.Window}, revision {planned.Revision}");
        foreach (var step in planned.Steps)
        {
            output.WriteLine();
            output.WriteLine($"{step.Step}: {(step.Tasks is { } tasks ? $"{tasks} task{(tasks == 1 ? "" : "s")}{(step.Reused > 0 ? $", {step.Reused} reused" : "")}" : "tasks")}; {step.Why}");
            foreach (var input in step.Inputs)
                output.WriteLine($"  {input.Name} = {input.Source}{(input.Objects is { } objects ? $": {Size(objects, input.Rows ?? 0, input.Bytes ?? 0)}" : "")}{(input.Split ? " (split)" : "")}");
            if (step.Publishes is { } table) output.WriteLine($"  publishes {table}");
            if (!explain) continue;
            foreach (var task in step.TaskList.Take(ShownTasks))
                output.WriteLine($"  task {task.Task}: {Size(task.Objects, task.Rows, task.Bytes)}{(task.Reused ? ", reused" : "")}");
            if (step.TaskList.Count > ShownTasks) output.WriteLine($"  and {step.TaskList.Count - ShownTasks} more; -o json shows all");
        }
    }

    /// <summary>Of files that people put there nobody has counted the rows.</summary>
    static string Size(int objects, long rows, long bytes) => $"{objects:N0} {(objects == 1 ? "object" : "objects")}, {(rows == 0 && bytes > 0 ? "" : $"{rows:N0} rows, ")}{bytes:N0} bytes";
}
