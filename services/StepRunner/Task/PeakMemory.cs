using System.Globalization;

namespace LeanPipe.StepRunner;

internal static class PeakMemory
{
    /// <summary>The process's peak resident set in bytes (VmHWM); 0 where the system does not tell.</summary>
    public static long Bytes()
    {
        const string Status = "/proc/self/status";
        if (!File.Exists(Status)) return 0;
        foreach (var line in File.ReadLines(Status))
        {
            // "VmHWM:	   61440 kB"
            if (!line.StartsWith("VmHWM:", StringComparison.Ordinal)) continue;
            return long.Parse(line.AsSpan(6, line.Length - 6 - 2).Trim(), CultureInfo.InvariantCulture) * 1024;
        }
        return 0;
    }
}
