using System.Diagnostics;

namespace LeanPipe.Integration.Cli;

/// <summary>The real program in a process of its own, on ports of its own.</summary>
sealed class LeanPipeProcess : IDisposable
{
    static readonly string[] AnyPorts = ["--dapr-http-port", "0", "--dapr-grpc-port", "0", "--port", "0"];

    readonly Process _process;
    readonly Task<string> _errors;

    LeanPipeProcess(IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "leanpipe.dll"), .. arguments])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Remove("LEANPIPE_LAKE");
        _process = Process.Start(start)!;
        _errors = _process.StandardError.ReadToEndAsync();
    }

    public string Output { get; private set; } = "";

    /// <summary>A command that runs services: it gets any free ports.</summary>
    public static LeanPipeProcess Start(string home, params string[] arguments) => new([.. arguments, "--home", home, .. AnyPorts]);

    /// <summary>A command that talks to services that run already.</summary>
    public static LeanPipeProcess Begin(string home, params string[] arguments) => new([.. arguments, "--home", home]);

    /// <summary>A command that ends by itself.</summary>
    public static async Task<(int Code, string Output)> RunAsync(string home, params string[] arguments)
    {
        using var process = new LeanPipeProcess([.. arguments, "--home", home]);
        return (await process.EndAsync(), process.Output);
    }

    /// <summary>Reads until a line holds the text.</summary>
    /// <exception cref="InvalidOperationException">The process ended before.</exception>
    public async Task UntilAsync(string text)
    {
        while (await _process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
        {
            Output += line + "\n";
            if (line.Contains(text, StringComparison.Ordinal)) return;
        }
        throw new InvalidOperationException($"The process ended without saying '{text}'. It said:\n{Output}{await _errors}");
    }

    /// <summary>The exit code, once everything is read.</summary>
    public async Task<int> EndAsync()
    {
        Output += await _process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        Output += await _errors;
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return _process.ExitCode;
    }

    /// <summary>SIGKILL, to this process alone: the tasks it started live on for a moment, as they would.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    public void Terminate()
    {
        using var kill = Process.Start("kill", ["-TERM", $"{_process.Id}"]);
        kill.WaitForExit();
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }
}
