using System.Text.Json;

namespace LeanPipe.Orchestrator;

/// <summary>A step runner's progress lines: one a second, to whoever watches and to the log. The first second of an attempt is not worth a line.</summary>
sealed class AttemptProgress(TaskAttempt attempt, RunProgress progress, TimeProvider time, ILogger log)
{
    static readonly TimeSpan Every = TimeSpan.FromSeconds(1);

    readonly long _started = time.GetTimestamp();
    TimeSpan _last;

    /// <param name="line">As docs/specs/task.md says; any other line is none of ours.</param>
    public void Read(string line)
    {
        var elapsed = time.GetElapsedTime(_started);
        if (elapsed - _last < Every || Parse(line) is not var (phase, fraction)) return;
        _last = elapsed;
        log.AttemptProgress(attempt, phase, (int)(fraction * 100), (long)elapsed.TotalSeconds);
        progress.Report(new TaskProgressed(attempt.Run, attempt.Step, attempt.Task, attempt.Attempt, phase, fraction));
    }

    static (string Phase, double Fraction)? Parse(string line)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            return document.RootElement is { ValueKind: JsonValueKind.Object } root && root.TryGetProperty("phase", out var phase) && root.TryGetProperty("progress", out var fraction)
                ? (phase.GetString() ?? "", fraction.GetDouble())
                : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}
