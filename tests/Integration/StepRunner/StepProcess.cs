using System.Diagnostics;
using LeanPipe.Lake;

namespace LeanPipe.Integration.StepRunner;

/// <summary>A real <c>steprunner</c> process.</summary>
public sealed class StepProcess : IDisposable
{
    readonly Process _process;
    readonly Task<string> _error;
    readonly List<string> _output = [];

    StepProcess(Process process) => (_process, _error) = (process, process.StandardError.ReadToEndAsync());

    public static StepProcess Start(LakeOptions? lake, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "steprunner"), arguments) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment.Remove("LEANPIPE_LAKE");
        foreach (var (name, value) in lake?.ToEnvironment() ?? new Dictionary<string, string>()) start.Environment[name] = value;
        return new(Process.Start(start)!);
    }

    /// <summary>Reads progress until the phase has begun.</summary>
    public async Task UntilAsync(string phase)
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            _output.Add(line);
            if (line.Contains($"\"phase\":\"{phase}\"", StringComparison.Ordinal)) return;
        }
        throw new InvalidOperationException($"The step ended before the phase '{phase}': {await _error}");
    }

    public void Kill() => _process.Kill();

    /// <summary>What the kernel does to a child's pipe when its parent ends.</summary>
    public void CloseInput() => _process.StandardInput.Close();

    public async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{_process.Id}"]);
        await kill.WaitForExitAsync();
    }

    public async Task<(int ExitCode, IReadOnlyList<string> Output, string Error)> EndAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line) _output.Add(line);
        var error = await _error;
        await _process.WaitForExitAsync();
        return (_process.ExitCode, _output, error);
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.Dispose();
    }
}
