using System.Diagnostics;
using LeanPipe.Contracts;

namespace LeanPipe.Orchestrator;

/// <summary>A child process per attempt.</summary>
/// <remarks>
/// No child outlives this process: stopping kills them, and after a kill -9 they see their input end, for nobody else holds its other side
/// (<c>--exit-with-parent</c>). One that would still linger writes under its attempt's prefix only, which nobody reads.
/// </remarks>
sealed class ProcessLauncher(OrchestratorOptions options, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<ProcessLauncher> log) : ILauncher
{
    // The step runner ends itself at its timeout and says so in its outcome; this is for one that cannot.
    static readonly TimeSpan Grace = TimeSpan.FromSeconds(30);

    readonly string _scratch = Emptied(options.Scratch) ?? Path.Combine(Path.GetTempPath(), "leanpipe-scratch");

    public async Task<LaunchEnd> RunAsync(TaskAttempt attempt, Action<string> output, CancellationToken cancel)
    {
        lifetime.ApplicationStopping.ThrowIfCancellationRequested();
        // Ours, so that what a killed child leaves goes too.
        var scratch = Directory.CreateDirectory(Path.Combine(_scratch, Path.GetRandomFileName()));
        try
        {
            using var process = Process.Start(Command(attempt, scratch.FullName)) ?? throw new InvalidOperationException($"'{options.StepRunner}' did not start.");
            log.AttemptLaunched(attempt, process.Id);
            return await WatchAsync(process, attempt.Timeout + Grace, output, cancel);
        }
        finally
        {
            scratch.Delete(recursive: true);
        }
    }

    /// <summary>A child ended with the life that started it.</summary>
    public Task<LaunchEnd?> AttachAsync(TaskAttempt attempt) => Task.FromResult<LaunchEnd?>(null);

    async Task<LaunchEnd> WatchAsync(Process process, TimeSpan timeout, Action<string> line, CancellationToken cancel)
    {
        using var deadline = new CancellationTokenSource(timeout, time);
        using var killed = deadline.Token.Register(Kill);
        using var cancelled = cancel.Register(Kill);
        using var stopped = lifetime.ApplicationStopping.Register(Kill);
        var errors = TailAsync(process.StandardError);
        var output = LinesAsync(process.StandardOutput, line);
        await process.WaitForExitAsync();
        await output;
        var tail = await errors;
        lifetime.ApplicationStopping.ThrowIfCancellationRequested();
        return new(process.ExitCode, deadline.IsCancellationRequested, tail);

        void Kill()
        {
            try
            {
                process.Kill(entireProcessTree: true);
            }
            catch (InvalidOperationException e)
            {
                log.KillCameLate(e.Message);
            }
        }
    }

    ProcessStartInfo Command(TaskAttempt attempt, string scratch)
    {
        var managed = options.StepRunner.EndsWith(".dll", StringComparison.OrdinalIgnoreCase);
        var start = new ProcessStartInfo(managed ? Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet" : options.StepRunner)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (managed) start.ArgumentList.Add(options.StepRunner);
        foreach (var argument in (string[])[.. attempt.Arguments, "--scratch", scratch, "--exit-with-parent"]) start.ArgumentList.Add(argument);
        foreach (var name in start.Environment.Keys.Where(n => !TaskEnvironment.Passes(n, attempt.Connection)).ToArray()) start.Environment.Remove(name);
        foreach (var (name, value) in options.Lake.ToEnvironment()) start.Environment[name] = value;
        TaskRuntime.Prepare(start.Environment);
        return start;
    }

    /// <summary>What an earlier life left in the folder that only this service uses.</summary>
    static string? Emptied(string? folder)
    {
        if (Directory.Exists(folder))
            foreach (var left in new DirectoryInfo(folder).EnumerateDirectories()) left.Delete(recursive: true);
        return folder;
    }

    static async Task LinesAsync(StreamReader output, Action<string> line)
    {
        while (await output.ReadLineAsync() is { } text) line(text);
    }

    /// <summary>The last 2,000 characters.</summary>
    static async Task<string> TailAsync(StreamReader errors)
    {
        const int keep = 2000;
        var (tail, buffer) = ("", new char[4096]);
        for (int read; (read = await errors.ReadAsync(buffer)) > 0;)
        {
            tail += new string(buffer, 0, read);
            if (tail.Length > keep) tail = tail[^keep..];
        }
        return tail.Trim();
    }
}
