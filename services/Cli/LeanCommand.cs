using System.CommandLine;
using LeanPipe.Contracts;

namespace LeanPipe.Cli;

/// <summary>Somebody asked for what cannot be: exit code 2 rather than 1.</summary>
sealed class UsageException(string message) : LeanPipeException("cli.usage", message);

/// <summary>A command with examples for its help, whose failures are one message and an exit code.</summary>
sealed class LeanCommand(string name, string description, params IReadOnlyList<string> examples) : Command(name, description)
{
    public IReadOnlyList<string> Examples { get; } = examples;

    public LeanCommand Does(GlobalOptions globals, Func<Invocation, CancellationToken, Task<int>> action)
    {
        SetAction(async (parsed, stop) =>
        {
            var invocation = new Invocation(parsed, globals);
            try
            {
                return await action(invocation, stop);
            }
            catch (Exception e) when (!invocation.Verbose && e is LeanPipeException or OperationCanceledException or IOException or UnauthorizedAccessException or HttpRequestException)
            {
                if (e is LeanPipeException known) await invocation.Error.WriteLineAsync($"error: {known.Message} ({known.Code})");
                else if (e is OperationCanceledException && stop.IsCancellationRequested) await invocation.Error.WriteLineAsync("Stopped.");
                else await invocation.Error.WriteLineAsync($"error: {e.Message}");
                return e is UsageException ? ExitCode.Usage : ExitCode.Failed;
            }
            catch (Exception e)
            {
                await invocation.Error.WriteLineAsync(invocation.Verbose ? $"error: {e}" : $"error: {e.GetType().Name}: {e.Message} This is a bug; --verbose shows where.");
                return e is UsageException ? ExitCode.Usage : ExitCode.Failed;
            }
        });
        return this;
    }
}
