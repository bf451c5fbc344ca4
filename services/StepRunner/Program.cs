using System.Net.Sockets;
using LeanPipe.Contracts;
using LeanPipe.DuckDb;
using LeanPipe.Lake;

namespace LeanPipe.StepRunner;

/// <summary>Nothing is loaded that a task does not need: a task is short, and a step may have thousands.</summary>
internal static class Program
{
    static readonly TimeSpan NoHurry = TimeSpan.FromMilliseconds(5);

    static Task<int> Main(string[] args) => args switch
    {
        ["--help" or "-h"] => HelpAsync(),
        ["serve", .. var rest] => ServeAsync(rest),
        [Arguments.Wait] => WaitAsync(),
        _ => OnceAsync(args, lake: null),
    };

    static async Task<int> HelpAsync()
    {
        await Console.Out.WriteLineAsync(Arguments.Help);
        return ExitCodes.Succeeded;
    }

    /// <summary>Takes attempts from an orchestrator until it is stopped, each in a process of its own.</summary>
    static async Task<int> ServeAsync(string[] args)
    {
        var (arguments, errors) = ServeArguments.Parse(args, Environment.GetEnvironmentVariable(ServeArguments.TokenVariable));
        if (arguments is null) return await WrongAsync(errors);
        using var stop = new StopSignals(exitWithParent: false);
        try
        {
            using var server = new TaskServer(arguments, ObjectStores.Open(LakeOptions.FromEnvironment()).Root);
            await Console.Out.WriteLineAsync($"steprunner: takes tasks at {server.Endpoint}");
            await server.RunAsync(stop.Token);
            return ExitCodes.Succeeded;
        }
        catch (Exception e) when (e is LeanPipeException or SocketException or IOException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync($"steprunner: serve: {e.Message}");
            return ExitCodes.Usage;
        }
    }

    /// <summary>Rehearses, then runs the attempt that the first line of standard input names; nothing when that ends first.</summary>
    static async Task<int> WaitAsync()
    {
        var line = Task.Run(() => Arguments.ReadLine(Console.OpenStandardInput()));
        IObjectStore? lake = null;
        try
        {
            // When tasks wait for processes instead, a rehearsal would only hold them up.
            if (await Task.WhenAny(line, Task.Delay(NoHurry)) != line) lake = await Rehearsal.RunAsync(LakeOptions.FromEnvironment());
        }
        catch (Exception e) when (e is LeanPipeException or IOException or UnauthorizedAccessException)
        {
            // What is wrong the attempt says itself, where it is heard.
            lake = null;
        }
        return await line is { } arguments ? await OnceAsync([.. arguments.Split('\t'), "--exit-with-parent"], lake) : ExitCodes.Succeeded;
    }

    static async Task<int> WrongAsync(IReadOnlyList<string> errors)
    {
        foreach (var error in errors) await Console.Error.WriteLineAsync($"steprunner: {error}");
        await Console.Error.WriteLineAsync("steprunner: --help shows how it is called.");
        return ExitCodes.Usage;
    }

    /// <param name="lake">That of the environment, when it is open already.</param>
    static async Task<int> OnceAsync(string[] args, IObjectStore? lake)
    {
        var (arguments, errors) = Arguments.Parse(args);
        if (arguments is null) return await WrongAsync(errors);
        // First, and beside all that follows: the engine takes as long to open as everything before it is needed.
        using var engine = new DuckDbStart();
        using var stop = new StopSignals(arguments.ExitWithParent);
        try
        {
            return await RunAsync(arguments, lake ?? ObjectStores.Open(LakeOptions.FromEnvironment()), engine, stop.Token);
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

    static async Task<int> RunAsync(Arguments arguments, IObjectStore lake, DuckDbStart engine, CancellationToken signal)
    {
        var spec = await TaskReader.ReadAsync(lake, arguments.Task, signal);
        if (arguments.MemoryBytes is { } memory) spec = spec with { Limits = spec.Limits with { MemoryBytes = memory } };
        TaskOutcome? outcome;
        var outcomeKey = LakeLayout.Outcome(spec.Run, spec.Step, spec.Task, arguments.Attempt);
        if (await lake.GetAsync(outcomeKey, signal) is not null)
        {
            // The attempt has ended before: it is what its outcome says, and is not run over itself.
            outcome = await lake.GetJsonAsync(outcomeKey, ContractsJson.Default.TaskOutcome, signal);
        }
        else
        {
            using var scratch = new Scratch(arguments.Scratch);
            var progress = new Progress(Console.Out, TimeProvider.System);
            outcome = await new StepTask(lake, spec, arguments.Attempt, scratch, progress, TimeProvider.System, engine, arguments.Slices).RunAsync(signal);
        }
        if (outcome?.Error is not { } error) return ExitCodes.Succeeded;
        await Console.Error.WriteLineAsync($"steprunner: {error.Code}: {error.Message}");
        return error.Transient ? ExitCodes.Transient : ExitCodes.Failed;
    }
}
