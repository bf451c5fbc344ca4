using System.CommandLine;
using System.Text.Json;
using LeanPipe.Cli.Output;
using LeanPipe.Cli.Runs;
using LeanPipe.Contracts;
using LeanPipe.Lake;
using LeanPipe.Orchestrator;

namespace LeanPipe.Cli.Commands;

/// <summary>`leanpipe why RUN STEP`</summary>
static class WhyCommand
{
    public static LeanCommand Create(GlobalOptions globals)
    {
        var run = RunArguments.Run();
        var step = new Argument<string>("STEP") { Description = "One of its steps" };
        var most = new Option<int>("--tasks") { Description = "Explain at most so many tasks", HelpName = "N", DefaultValueFactory = _ => 100 };
        most.Between(1, int.MaxValue, "1 or more");
        var format = GlobalOptions.Format();
        var command = new LeanCommand(
            "why", "Say why the tasks of a step ran, or that they took the result of an equal task: what of SQL, engine, inputs, parameters, output and checks changed.",
            "leanpipe why telemetry-hourly-2026-01-01T10-r2 by_sensor") { run, step, most, format };
        return command.Does(globals, async (call, stop) =>
        {
            var tasks = await CacheExplanation.WhyAsync(
                ObjectStores.OpenExisting(call.Lake), RunArguments.Parse<RunId>(call.Get(run)!), RunArguments.Parse<StepName>(call.Get(step)!), call.Get(most), stop);
            if (call.WantsJson(format)) await call.Out.WriteLineAsync(JsonSerializer.Serialize(tasks, CliJson.Readable.IReadOnlyListTaskExplanation));
            else if (tasks.Count == 0) await call.Out.WriteLineAsync("No task of the step was written yet.");
            else
            {
                foreach (var same in tasks.GroupBy(t => t.Why))
                    await call.Out.WriteLineAsync($"{(same.Count() == 1 ? $"task {same.First().Task}" : $"{same.Count()} tasks from {same.First().Task}")}: {same.Key}");
            }
            return ExitCode.Done;
        });
    }
}
