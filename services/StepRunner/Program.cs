using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.StepRunner;

/// <summary>Nothing is loaded that a task does not need: a task is short, and a step may have thousands.</summary>
internal static class Program
{
    static async Task<int> Main(string[] args)
    {
        if (args is ["--help" or "-h"])
        {
            await Console.Out.WriteLineAsync(Arguments.Help);
            return ExitCodes.Succeeded;
        }
        var (arguments, errors) = Arguments.Parse(args);
        if (arguments is null)
        {
            foreach (var error in errors) await Console.Error.WriteLineAsync($"steprunner: {error}");
            await Console.Error.WriteLineAsync("steprunner: --help shows how it is called.");
            return ExitCodes.Usage;
        }

        using var stop = new StopSignals(arguments.ExitWithParent);
        try
        {
            return await RunAsync(arguments, stop.Token);
        }
        catch (OperationCanceledException) when (stop.Token.IsCancellationRequested)
        {
            await Console.Error.WriteLineAsync("steprunner: stopped from outside; no outcome was written.");
            return stop.ExitCode;
        }
        catch (LeanPipeException e)
        {
            await Console.Error.WriteLineAsync($"steprunner: {e.Code}: {e.Message}");
            return e.IsTransient ? ExitCodes.Transient : ExitCodes.Usage;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync($"steprunner: task.io: {e.Message} Scratch must be a writable place: --scratch or TMPDIR.");
            return ExitCodes.Transient;
        }
    }

    static async Task<int> RunAsync(Arguments arguments, CancellationToken signal)
    {
        var lake = ObjectStores.Open(LakeOptions.FromEnvironment());
        var spec = await TaskReader.ReadAsync(lake, arguments.TaskKey, signal);
        if (arguments.MemoryBytes is { } memory) spec = spec with { Limits = spec.Limits with { MemoryBytes = memory } };
        TaskOutcome? outcome;
        var outcomeKey = LakeLayout.Outcome(spec.Run, spec.Step, spec.Task, arguments.Attempt);
        if (await lake.SizeAsync(outcomeKey, signal) is not null)
        {
            // The attempt has ended before: it is what its outcome says, and is not run over itself.
            outcome = await lake.GetJsonAsync(outcomeKey, ContractsJson.Default.TaskOutcome, signal);
        }
        else
        {
            using var scratch = new Scratch(arguments.Scratch);
            var progress = new Progress(Console.Out, TimeProvider.System);
            outcome = await new StepTask(lake, spec, arguments.Attempt, scratch, progress, TimeProvider.System).RunAsync(signal);
        }
        if (outcome?.Error is not { } error) return ExitCodes.Succeeded;
        await Console.Error.WriteLineAsync($"steprunner: {error.Code}: {error.Message}");
        return error.Transient ? ExitCodes.Transient : ExitCodes.Failed;
    }
}
