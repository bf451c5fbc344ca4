using System.Globalization;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Orchestrator;

/// <summary>Where a task's container runs: a child process here, a Kubernetes Job there.</summary>
interface ILauncher
{
    /// <summary>Starts the attempt and waits for its end. How it went is in the lake; the end says only what is not there.</summary>
    /// <param name="attempt">Under this name nothing else runs.</param>
    /// <param name="output">Told each line of its standard output: the step runner's progress.</param>
    /// <param name="cancel">Ends the attempt; the call still returns its end.</param>
    /// <exception cref="OperationCanceledException">This service stops; the attempt was ended, or goes on elsewhere.</exception>
    Task<LaunchEnd> RunAsync(TaskAttempt attempt, Action<string> output, CancellationToken cancel);

    /// <summary>Waits for an attempt that an earlier life of this service started; null when no such attempt runs.</summary>
    Task<LaunchEnd?> AttachAsync(TaskAttempt attempt);
}

/// <param name="Limits">What it may use, and for how long.</param>
/// <param name="MoreMemory">The limit on memory is not that of its task: the step runner is told (<c>--memory</c>).</param>
/// <param name="Connection">The one connection whose settings it may see; null for a task that loads nothing.</param>
/// <param name="InputBytes">What it reads.</param>
/// <param name="Slices">In so many parts the step runner reads the input that is shared out, one at a time.</param>
/// <param name="Document">What the step runner is told as its task; null: it stands by itself.</param>
readonly record struct TaskAttempt(
    RunId Run, StepName Step, TaskId Task, int Attempt, TaskLimits Limits, bool MoreMemory = false, string? Connection = null, long InputBytes = 0, int Slices = 1, string? Document = null)
{
    public TimeSpan Timeout => Limits.Timeout;

    /// <summary>The step runner's command line, but for what its launcher adds.</summary>
    public IReadOnlyList<string> Arguments =>
    [
        "--task", Document ?? LakeLayout.LoneTask(Run, Step, Task), "--attempt", Attempt.ToString(CultureInfo.InvariantCulture),
        .. MoreMemory ? (string[])["--memory", Limits.MemoryBytes.ToString(CultureInfo.InvariantCulture)] : [],
        .. Slices > 1 ? (string[])["--slices", Slices.ToString(CultureInfo.InvariantCulture)] : [],
    ];

    public override string ToString() => $"{Run}/{Step}/{Task}/{Attempt}";
}

/// <param name="ExitCode">128 + n for a process ended by signal n.</param>
/// <param name="ErrorTail">The last of what it wrote to its error output, for the person who reads why it crashed.</param>
/// <param name="Error">What the launcher knows better than the exit code tells: evicted, no such image, no room on any node.</param>
readonly record struct LaunchEnd(int ExitCode, bool TimedOut, string ErrorTail, TaskError? Error = null);
