using System.Globalization;

namespace LeanPipe.StepRunner;

/// <summary>Where the task is, on standard output: one JSON line per phase change, and one a second at most within a phase.</summary>
internal sealed class Progress(TextWriter output, TimeProvider time)
{
    readonly Lock _lock = new();
    string _phase = "";
    long _last;

    /// <param name="phase"><c>fetch</c>, <c>sql</c>, <c>write</c>, <c>checks</c>, <c>upload</c> or <c>load</c>.</param>
    /// <param name="fraction">0 to 1 within the phase.</param>
    public void Report(string phase, double fraction)
    {
        lock (_lock)
        {
            if (phase == _phase && time.GetElapsedTime(_last) < TimeSpan.FromSeconds(1)) return;
            _phase = phase;
            _last = time.GetTimestamp();
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{{\"progress\":{Math.Clamp(fraction, 0, 1):0.##},\"phase\":\"{phase}\"}}"));
            output.Flush();
        }
    }
}
