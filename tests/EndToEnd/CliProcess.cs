using System.Diagnostics;
using System.Text;
using System.Threading.Channels;

namespace LeanPipe.EndToEnd;

/// <summary>A real <c>leanpipe</c> process on a home of its own. Disposing kills whatever is left of it.</summary>
sealed class CliProcess : IAsyncDisposable
{
    readonly Process process;
    readonly Channel<string> lines = Channel.CreateUnbounded<string>();
    readonly StringBuilder output = new();
    readonly TaskCompletionSource closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    int openStreams = 2;

    CliProcess(Process process) => this.process = process;

    public int Id => process.Id;

    /// <summary>Everything it has written so far, both streams in the order of arrival.</summary>
    public string Output
    {
        get { lock (output) return output.ToString(); }
    }

    public static CliProcess Start(string home, params string[] arguments) => Start(home, environment: null, arguments);

    public static CliProcess Start(string home, IReadOnlyDictionary<string, string>? environment, params string[] arguments)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "leanpipe.dll");
        var start = new ProcessStartInfo("dotnet", [program, .. arguments, "--home", home])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            UseShellExecute = false,
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;
        var cli = new CliProcess(Process.Start(start)!);
        cli.process.OutputDataReceived += (_, e) => cli.Take(e.Data);
        cli.process.ErrorDataReceived += (_, e) => cli.Take(e.Data);
        cli.process.BeginOutputReadLine();
        cli.process.BeginErrorReadLine();
        return cli;
    }

    /// <summary>Runs a command to its end.</summary>
    public static async Task<(int ExitCode, string Output)> RunAsync(string home, params string[] arguments)
    {
        await using var cli = Start(home, arguments);
        return (await cli.ExitAsync(), cli.Output);
    }

    /// <summary>Waits until every text stood in some line that nobody has waited for yet, in any order; says all that was written when the process ends before.</summary>
    public async Task LinesAsync(params IEnumerable<string> texts)
    {
        var missing = texts.ToList();
        await foreach (var line in lines.Reader.ReadAllAsync(TestContext.Current.CancellationToken))
        {
            missing.RemoveAll(text => line.Contains(text, StringComparison.Ordinal));
            if (missing.Count == 0)
                return;
        }
        throw new InvalidOperationException($"The process ended without a line that holds '{string.Join("' or '", missing)}'. It wrote:\n{Output}");
    }

    public async Task<int> ExitAsync()
    {
        await closed.Task.WaitAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return process.ExitCode;
    }

    /// <summary>SIGKILL, of this process alone: its children must cope.</summary>
    public void Kill() => process.Kill(entireProcessTree: false);

    /// <summary>Ctrl-C.</summary>
    public void Interrupt()
    {
        using var kill = Process.Start("kill", ["-INT", process.Id.ToString()]);
        kill.WaitForExit();
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited) process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        process.Dispose();
    }

    void Take(string? line)
    {
        if (line is null)
        {
            if (Interlocked.Decrement(ref openStreams) != 0) return;
            lines.Writer.TryComplete();
            closed.TrySetResult();
            return;
        }
        lock (output) output.AppendLine(line);
        lines.Writer.TryWrite(line);
    }
}
