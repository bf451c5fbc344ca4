using System.Globalization;

namespace LeanPipe.Benchmarks.Ingest;

/// <summary>What a process and its descendants have used, from /proc. Linux only.</summary>
static class ProcessTree
{
    /// <summary>sysconf(_SC_CLK_TCK), which is 100 on every Linux that .NET runs on.</summary>
    const double TicksPerSecond = 100;

    /// <summary>User and system time, ended and awaited children included.</summary>
    public static double CpuSeconds(int root) => Members(root).Sum(pid => Stat(pid) is { } f ? (Time(f, 11) + Time(f, 12) + Time(f, 13) + Time(f, 14)) / TicksPerSecond : 0);

    /// <summary>The sum of the members' largest resident sizes.</summary>
    public static double PeakMegabytes(int root) => Members(root).Sum(pid =>
    {
        var line = TryRead($"/proc/{pid}/status")?.Split('\n').FirstOrDefault(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
        return line is null ? 0 : double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024 / 1e6;
    });

    static List<int> Members(int root)
    {
        var parents = new Dictionary<int, int>();
        foreach (var folder in Directory.GetDirectories("/proc"))
            if (int.TryParse(Path.GetFileName(folder), out var pid) && Stat(pid) is { } fields) parents[pid] = int.Parse(fields[1], CultureInfo.InvariantCulture);
        var members = new List<int> { root };
        for (var i = 0; i < members.Count; i++) members.AddRange(parents.Where(p => p.Value == members[i]).Select(p => p.Key));
        return members;
    }

    /// <summary>The fields behind the program's name, which may itself hold spaces: 0 is the state, 1 the parent, 11 to 14 the times.</summary>
    static string[]? Stat(int pid) => TryRead($"/proc/{pid}/stat") is { } text ? text[(text.LastIndexOf(')') + 2)..].Split(' ') : null;

    static double Time(string[] fields, int index) => double.Parse(fields[index], CultureInfo.InvariantCulture);

    static string? TryRead(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (IOException)
        {
            // It ended meanwhile.
            return null;
        }
    }
}
