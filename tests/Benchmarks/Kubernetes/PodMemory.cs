using System.Globalization;

namespace LeanPipe.Benchmarks.Kubernetes;

/// <param name="Resident">Sum of the processes' resident sets: pages that several share count for each.</param>
/// <param name="Proportional">Pages that several share count once, in parts.</param>
sealed record PodMemory(long Resident, long Proportional)
{
    /// <summary>Of every process of these pods, which run on this machine: the kernel's smaps_rollup of those in the pods' cgroups.</summary>
    public static PodMemory Of(IReadOnlyCollection<string> podUids)
    {
        var (resident, proportional, processes) = (0L, 0L, 0);
        foreach (var process in Directory.EnumerateDirectories("/proc").Where(d => char.IsAsciiDigit(Path.GetFileName(d)[0])))
        {
            try
            {
                var cgroup = File.ReadAllText(Path.Combine(process, "cgroup"));
                if (!podUids.Any(uid => cgroup.Contains(uid, StringComparison.Ordinal) || cgroup.Contains(uid.Replace('-', '_'), StringComparison.Ordinal))) continue;
                foreach (var line in File.ReadLines(Path.Combine(process, "smaps_rollup")))
                    if (line.StartsWith("Rss:", StringComparison.Ordinal)) resident += Kibibytes(line);
                    else if (line.StartsWith("Pss:", StringComparison.Ordinal)) proportional += Kibibytes(line);
                processes++;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // It ended meanwhile.
                continue;
            }
        }
        return processes > 0 ? new(resident, proportional) : throw new InvalidOperationException("No process of the pods is seen from here: measure on the node itself.");
    }

    // "Rss:               61440 kB"
    static long Kibibytes(string line) => long.Parse(line.AsSpan(4, line.Length - 4 - 2).Trim(), CultureInfo.InvariantCulture) * 1024;
}
