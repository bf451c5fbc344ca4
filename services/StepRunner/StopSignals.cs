using System.Runtime.InteropServices;

namespace LeanPipe.StepRunner;

/// <summary>What ends the task from outside: SIGTERM, SIGINT, or the end of the process that started it. The task then ends by itself, when its scratch is gone.</summary>
internal sealed class StopSignals : IDisposable
{
    /// <summary>Clearing up takes milliseconds; nobody waits for an orphan that takes longer.</summary>
    static readonly TimeSpan OrphanEndsWithin = TimeSpan.FromSeconds(10);

    readonly CancellationTokenSource _stop = new();
    readonly PosixSignalRegistration _terminate;
    readonly PosixSignalRegistration _interrupt;

    /// <param name="exitWithParent">Standard input is a pipe that only the parent holds open; the kernel closes it however the parent ends.</param>
    public StopSignals(bool exitWithParent)
    {
        _terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => Stop(signal, ExitCodes.Terminated));
        _interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => Stop(signal, ExitCodes.Interrupted));
        if (!exitWithParent) return;
        // A thread of its own, for a read that may never return.
        new Thread(WaitForParent) { IsBackground = true, Name = "parent" }.Start();
    }

    public CancellationToken Token => _stop.Token;

    public int ExitCode { get; private set; }

    public void Dispose()
    {
        _terminate.Dispose();
        _interrupt.Dispose();
    }

    void Stop(PosixSignalContext signal, int exitCode)
    {
        signal.Cancel = true;
        ExitCode = exitCode;
        _stop.Cancel();
    }

    void WaitForParent()
    {
        using var input = Console.OpenStandardInput();
        var ignored = new byte[256];
        while (input.Read(ignored) > 0) continue;
        ExitCode = ExitCodes.Terminated;
        _stop.Cancel();
        Thread.Sleep(OrphanEndsWithin);
        Environment.Exit(ExitCodes.Terminated);
    }
}
