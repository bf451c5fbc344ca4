using System.Diagnostics;
using System.Text.RegularExpressions;

namespace LeanPipe.Integration.Sidecar;

/// <summary>The sidecar's own program as a process, to be killed.</summary>
sealed partial class SidecarProcess : IDisposable
{
    readonly Process _process;

    SidecarProcess(Process process, int httpPort, int grpcPort, IReadOnlyDictionary<string, int> appPorts)
    {
        (_process, AppPorts) = (process, appPorts);
        Http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{httpPort}") };
        Hub = new TaskHubClient(grpcPort);
    }

    public HttpClient Http { get; }

    public TaskHubClient Hub { get; }

    /// <summary>gRPC of the further apps.</summary>
    public IReadOnlyDictionary<string, int> AppPorts { get; }

    public static async Task<SidecarProcess> StartAsync(string stateDirectory, int? appPort = null, IEnumerable<string>? flags = null)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            ArgumentList =
            {
                Path.Combine(AppContext.BaseDirectory, "LeanPipe.Sidecar.dll"),
                "--app-id", "test", "--dapr-http-port", "0", "--dapr-grpc-port", "0", "--state-directory", stateDirectory,
            },
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (appPort is { } port)
        {
            start.ArgumentList.Add("--app-port");
            start.ArgumentList.Add(port.ToString());
        }

        foreach (var flag in flags ?? [])
            start.ArgumentList.Add(flag);
        var apps = new Dictionary<string, int>();
        var process = Process.Start(start)!;
        var said = new List<string>();
        process.ErrorDataReceived += (_, e) => said.Add(e.Data ?? "");
        process.BeginErrorReadLine();
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (await process.StandardOutput.ReadLineAsync(limit.Token) is { } line)
        {
            said.Add(line);
            if (AppReady().Match(line) is { Success: true } app)
                apps.Add(app.Groups["app"].Value, int.Parse(app.Groups["grpc"].Value));
            if (Ready().Match(line) is not { Success: true } ready)
                continue;
            _ = process.StandardOutput.ReadToEndAsync();
            return new SidecarProcess(process, int.Parse(ready.Groups["http"].Value), int.Parse(ready.Groups["grpc"].Value), apps);
        }

        throw new InvalidOperationException("the sidecar did not start: " + string.Join('\n', said));
    }

    /// <summary>SIGKILL: nothing is flushed, nobody is told.</summary>
    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    /// <summary>The exit code of one that ends by itself.</summary>
    public async Task<int> EndAsync()
    {
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromMinutes(3));
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            Kill();
        _process.Dispose();
        Http.Dispose();
        Hub.Dispose();
    }

    [GeneratedRegex("http port (?<http>[0-9]+), grpc port (?<grpc>[0-9]+)", RegexOptions.ExplicitCapture)]
    private static partial Regex Ready();

    [GeneratedRegex("App '(?<app>[^']+)': grpc port (?<grpc>[0-9]+)", RegexOptions.ExplicitCapture)]
    private static partial Regex AppReady();
}
