using System.Diagnostics;

namespace LeanPipe.EndToEnd.Gateway;

/// <summary>The real gateway program, as small as it can be set, so that the rare is the common case: log files of 4 KiB, reads of 64 bytes.</summary>
sealed class GatewayProgram : IDisposable
{
    const string Listening = "listens on 127.0.0.1:";

    readonly Process _process;
    readonly Dictionary<string, int> _ports = [];
    string _rest = "";

    GatewayProgram(Process process) => _process = process;

    public IReadOnlyDictionary<string, int> Ports => _ports;

    /// <param name="folder">Holds <c>config</c>, <c>log</c> and <c>lake</c>.</param>
    public static GatewayProgram Start(string folder, Uri sidecar)
    {
        var start = new ProcessStartInfo("dotnet", [
            Environment.GetEnvironmentVariable("LEANPIPE_TEST_GATEWAY") ?? Path.Combine(AppContext.BaseDirectory, "LeanPipe.Gateway.dll"), "--streams", Path.Combine(folder, "config"), "--lake", Path.Combine(folder, "lake"), "--log", Path.Combine(folder, "log"),
            "--id", "gateway-0", "--http", "127.0.0.1:0", "--log-file-bytes", "4096", "--max-log-bytes", "1000000", "--read-buffer-bytes", "64", "--max-commit-delay", "00:00:00.001"])
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        start.Environment["DAPR_HTTP_ENDPOINT"] = sidecar.ToString().TrimEnd('/');
        // Most of these processes live for a fraction of a second.
        start.Environment["DOTNET_TieredPGO"] = "0";
        return new(Process.Start(start)!);
    }

    /// <summary>Reads its output until every stream listens; false when it ended before.</summary>
    public async Task<bool> ListensAsync(int streams, CancellationToken stop)
    {
        while (_ports.Count < streams && await _process.StandardOutput.ReadLineAsync(stop) is { } line)
        {
            _rest += line + "\n";
            if (line.IndexOf(Listening, StringComparison.Ordinal) is not (>= 0 and var at)) continue;
            var words = line[..at].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            _ports[words[^1]] = int.Parse(line[(at + Listening.Length)..].TrimEnd('.'));
        }
        return _ports.Count == streams;
    }

    /// <summary>SIGKILL.</summary>
    public void Kill()
    {
        if (!_process.HasExited) _process.Kill();
    }

    public void Terminate() => Process.Start("kill", ["-TERM", $"{_process.Id}"])!.Dispose();

    /// <summary>All that it wrote.</summary>
    public async Task<string> EndAsync(CancellationToken stop)
    {
        _rest += await _process.StandardOutput.ReadToEndAsync(stop);
        await _process.WaitForExitAsync(stop);
        return _rest;
    }

    public int ExitCode => _process.ExitCode;

    public void Dispose()
    {
        Kill();
        _process.Dispose();
    }
}
