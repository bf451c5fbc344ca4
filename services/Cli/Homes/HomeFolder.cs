using LeanPipe.Contracts;

namespace LeanPipe.Cli.Homes;

/// <summary>The folder of one installation. Everything that `leanpipe` keeps on a machine stands below it.</summary>
sealed class HomeFolder(string path)
{
    // Who only looks whether somebody runs here holds the lock for a moment.
    const int LockAttempts = 250;
    static readonly TimeSpan BetweenAttempts = TimeSpan.FromMilliseconds(2);

    public string Path { get; } = System.IO.Path.GetFullPath(path);

    public string Config => In("config");

    /// <summary>The lake, when no other is named.</summary>
    public string Lake => In("lake");

    public string State => In("state");

    public string GatewayState => In("state", "gateway");

    public string SidecarState => In("state", "sidecar");

    /// <summary>Held open by the process that runs here; the operating system lets go of it however that process ends.</summary>
    public string LockFile => In("state", "lock");

    /// <summary>Written by the process that runs here, for the other commands.</summary>
    public string EndpointsFile => In("state", "endpoints.json");

    /// <summary>Written by the demo: what it is sending and how far it is.</summary>
    public string DemoFile => In("state", "demo.json");

    public string In(params ReadOnlySpan<string> parts) => System.IO.Path.Combine([Path, .. parts]);

    /// <summary>No two processes share a home; dispose to give it up.</summary>
    /// <exception cref="LeanPipeException"><c>cli.home_in_use</c></exception>
    public IDisposable Lock()
    {
        Directory.CreateDirectory(State);
        for (var attempt = 1; attempt < LockAttempts; attempt++)
        {
            if (TryLock() is { } held) return held;
            Thread.Sleep(BetweenAttempts);
        }
        return TryLock() ?? throw new LeanPipeException(
            "cli.home_in_use", $"Another leanpipe{(Endpoints.Read(this) is { } other ? $" (process {other.Pid})" : "")} runs in {Path}. Stop it, or choose another folder with --home.");
    }

    /// <summary>Where the process that runs here can be reached.</summary>
    /// <exception cref="LeanPipeException"><c>cli.not_running</c></exception>
    public Endpoints RequireRunning() => FindRunning() ?? throw new LeanPipeException(
        "cli.not_running", $"No leanpipe runs in {Path}. Start one with 'leanpipe up', or name the folder of the running one with --home.");

    public Endpoints? FindRunning()
    {
        if (!File.Exists(LockFile)) return null;
        using var free = TryLock();
        return free is null ? Endpoints.Read(this) : null;
    }

    FileStream? TryLock()
    {
        try
        {
            return new(LockFile, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException) when (File.Exists(LockFile))
        {
            return null;
        }
    }
}
