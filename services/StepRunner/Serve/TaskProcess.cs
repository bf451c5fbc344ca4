using System.Diagnostics;
using LeanPipe.Contracts;

namespace LeanPipe.StepRunner;

/// <summary>A process for one attempt, started before the attempt is known: it has rehearsed and waits for its arguments on its standard input.</summary>
/// <remarks>It sees this process's environment without the token, has a folder of its own for scratch and temporary files, and ends when this process does, however that ends.</remarks>
internal sealed class TaskProcess : IDisposable
{
    const int Tail = 2000;

    readonly Process _process;
    readonly DirectoryInfo _scratch;
    readonly Task<string> _error;

    public TaskProcess(string scratch)
    {
        _scratch = Directory.CreateDirectory(Path.Combine(scratch, Path.GetRandomFileName()));
        var start = new ProcessStartInfo(Environment.ProcessPath!) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        // By its own program, or, as in an image, by dotnet, which is told the assembly.
        if (Path.GetFileNameWithoutExtension(start.FileName) == "dotnet") start.ArgumentList.Add(Environment.GetCommandLineArgs()[0]);
        start.ArgumentList.Add(Arguments.Wait);
        start.Environment.Remove(ServeArguments.TokenVariable);
        start.Environment["TMPDIR"] = _scratch.FullName;
        TaskRuntime.Prepare(start.Environment);
        _process = Process.Start(start) ?? throw new IOException($"'{start.FileName}' did not start.");
        _error = _process.StandardError.ReadToEndAsync();
    }

    public int Id => _process.Id;

    public bool HasEnded => _process.HasExited;

    /// <summary>Runs the attempt to its end.</summary>
    /// <param name="output">Told each line of its standard output.</param>
    /// <param name="kill">Ends it at once.</param>
    /// <returns>The exit code, and the last of its error output.</returns>
    public async Task<(int ExitCode, string Tail)> RunAsync(string task, int attempt, Func<string, Task> output, CancellationToken kill)
    {
        using var killed = kill.Register(Kill);
        await GiveAsync($"--task\t{task}\t--attempt\t{attempt}\t--scratch\t{_scratch.FullName}\n");
        while (await _process.StandardOutput.ReadLineAsync(CancellationToken.None) is { } line) await output(line);
        await _process.WaitForExitAsync(CancellationToken.None);
        var error = (await _error).Trim();
        return (_process.ExitCode, error.Length > Tail ? error[^Tail..] : error);
    }

    /// <summary>Kills it if it still runs, and removes what it left behind.</summary>
    public void Dispose()
    {
        Kill();
        _process.WaitForExit();
        _process.Dispose();
        _scratch.Delete(recursive: true);
    }

    async Task GiveAsync(string arguments)
    {
        try
        {
            await _process.StandardInput.WriteAsync(arguments);
            await _process.StandardInput.FlushAsync(CancellationToken.None);
        }
        catch (IOException e)
        {
            // It died while it waited; its exit code is the attempt's.
            await Console.Error.WriteLineAsync($"steprunner: process {Id} ended before its attempt began: {e.Message}");
        }
    }

    void Kill()
    {
        try
        {
            _process.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // It has ended, which is what was wanted.
            return;
        }
    }
}
