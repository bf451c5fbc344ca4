namespace LeanPipe.StepRunner;

/// <summary>What the process says with its exit code; <c>docs/specs/task.md</c> is the list for launchers.</summary>
internal static class ExitCodes
{
    /// <summary>The outcome is written and the task succeeded.</summary>
    public const int Succeeded = 0;

    /// <summary>The outcome is written: the task failed, and the same attempt would fail again.</summary>
    public const int Failed = 1;

    /// <summary>Wrong arguments or no such task: nothing was written, and trying again is no use.</summary>
    public const int Usage = 2;

    /// <summary>Failed, but worth another attempt. The outcome is written unless the lake was what failed.</summary>
    public const int Transient = 3;

    /// <summary>SIGINT, as a shell reports it. No outcome.</summary>
    public const int Interrupted = 130;

    /// <summary>SIGTERM, as a shell reports it. No outcome.</summary>
    public const int Terminated = 143;
}
