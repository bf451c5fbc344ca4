using System.Diagnostics;
using System.Globalization;
using LeanPipe.Contracts;
using LeanPipe.Integration.StepRunner;
using LeanPipe.Lake;

namespace LeanPipe.Integration.Warm;

/// <summary>A real <c>steprunner serve</c> process on a port of its own.</summary>
sealed class WarmRunner : IDisposable
{
    public const string Token = "a-token";

    /// <summary>Among what <see cref="Stat"/> returns.</summary>
    const int ThreadsField = 17;

    readonly Process _process;

    WarmRunner(Process process, DirectoryInfo scratch, string address) => (_process, Scratch, Address) = (process, scratch, address);

    /// <summary>host:port.</summary>
    public string Address { get; }

    public DirectoryInfo Scratch { get; }

    public int ProcessId => _process.Id;

    public static async Task<WarmRunner> StartAsync(LakeOptions lake, DirectoryInfo scratch)
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "steprunner"), ["serve", "--listen", "127.0.0.1:0", "--scratch", scratch.FullName])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in lake.ToEnvironment()) start.Environment[name] = value;
        start.Environment["LEANPIPE_WARM_TOKEN"] = Token;
        var process = Process.Start(start)!;
        const string Ready = "steprunner: takes tasks at ";
        if (await process.StandardOutput.ReadLineAsync() is not { } line || !line.StartsWith(Ready, StringComparison.Ordinal))
            throw new InvalidOperationException($"It did not start: {await process.StandardError.ReadToEndAsync()}");
        _ = process.StandardError.ReadToEndAsync();
        return new(process, scratch, line[Ready.Length..]);
    }

    /// <summary>Its processes: one that runs an attempt, one that waits, or none.</summary>
    public IReadOnlyList<int> Children() =>
        [.. Directory.EnumerateDirectories("/proc").Select(d => int.TryParse(Path.GetFileName(d), CultureInfo.InvariantCulture, out var id) ? id : 0).Where(p => p > 0 && Stat(p) is [_, var parent, ..] && parent == $"{ProcessId}")];

    /// <summary>The process that waits for the next attempt; it is started when the end of the last one has been said.</summary>
    public async Task<int> WaitingAsync()
    {
        IReadOnlyList<int> children = [];
        await UntilAsync(() => (children = Children()).Count == 1);
        return children[0];
    }

    /// <summary>What the system tells of a process behind its name: its state, its parent and so on; null when it is gone.</summary>
    public static string[]? Stat(int process)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/stat").Split(") ")[^1].Split(' ');
        }
        catch (IOException)
        {
            // It may go at any moment, also between the opening and the reading.
            return null;
        }
    }

    public void Kill() => _process.Kill();

    public async Task<int> TerminateAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", $"{_process.Id}"]);
        await _process.WaitForExitAsync();
        return _process.ExitCode;
    }

    /// <summary>Until the process has ended whole: it is gone, or only its parent's question is missing. Its first thread alone may have ended before.</summary>
    public static Task GoneAsync(int process) => UntilAsync(() => Stat(process) is not { } stat || (stat[0], stat[ThreadsField]) is ("Z", "1"));

    static async Task UntilAsync(Func<bool> isSo)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        using var moment = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!isSo()) await moment.WaitForNextTickAsync(limit.Token);
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
        _process.Dispose();
    }
}
