using System.Text.Json;
using LeanPipe.Cli.Output;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Cli.Runs;

/// <summary>Waits for a run and says how it ended.</summary>
static class RunWait
{
    static readonly TimeSpan AskEvery = TimeSpan.FromMilliseconds(300);

    /// <summary>A run outlives its sidecar, so whoever waits for it does not give up while that one is started again.</summary>
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public static async Task<WorkflowState> ForAsync(WorkflowApi api, RunId run, CancellationToken stop)
    {
        using var timer = new PeriodicTimer(AskEvery);
        var heard = TimeProvider.System.GetTimestamp();
        while (await timer.WaitForNextTickAsync(stop))
        {
            try
            {
                if (await api.FindAsync(run, stop) is { HasEnded: true } state) return state;
                heard = TimeProvider.System.GetTimestamp();
            }
            catch (LeanPipeException e) when (e.IsTransient && TimeProvider.System.GetElapsedTime(heard) < Patience)
            {
                // It is asked again.
                continue;
            }
        }
        throw new OperationCanceledException(stop);
    }

    /// <exception cref="LeanPipeException"><c>cli.run_failed</c></exception>
    public static async Task<int> ReportAsync(Invocation call, bool json, IObjectStore store, RunId run, WorkflowState state, CancellationToken stop)
    {
        if (await RunDetails.FindAsync(store, run, stop) is { } detail)
        {
            if (json) await call.Out.WriteLineAsync(JsonSerializer.Serialize(detail, CliJson.Readable.RunDetail));
            else RunPrinter.WriteDetail(call.Out, detail);
        }
        if (state.Completed) return ExitCode.Done;
        throw new LeanPipeException("cli.run_failed", $"The run {run} ended as {state.RuntimeStatus}{(state.FailureMessage is { } why ? $": {why}" : ".")}");
    }
}
