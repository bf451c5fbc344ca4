using System.Diagnostics;
using System.Runtime.InteropServices;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Benchmarks.Pipelines;

/// <param name="Cpu">User and system time of the process, from the kernel.</param>
sealed record Spent(TimeSpan Wall, TimeSpan Cpu);

/// <summary>The step runner as it is shipped: published, compiled ahead (ReadyToRun), started as a process per task.</summary>
sealed class StepProgram(string path)
{
    const int Children = -1;

    public string Path => path;

    public static async Task<StepProgram> PublishAsync(string folder)
    {
        var project = System.IO.Path.Combine(Repository.Root, "services", "StepRunner", "StepRunner.csproj");
        using var publish = Process.Start(new ProcessStartInfo(
            "dotnet", ["publish", project, "-c", "Release", "-r", "linux-x64", "--self-contained", "false", "-o", folder, "-v", "q", "--nologo"])
        { UseShellExecute = false })!;
        await publish.WaitForExitAsync();
        return publish.ExitCode == 0 ? new(System.IO.Path.Combine(folder, "steprunner")) : throw new InvalidOperationException($"'dotnet publish {project}' ended with {publish.ExitCode}.");
    }

    public Spent Run(TaskSpec task, LakeOptions lake, string scratch)
    {
        var start = new ProcessStartInfo(path, ["--task", LakeLayout.LoneTask(task.Run, task.Step, task.Task), "--attempt", "1", "--scratch", scratch]);
        foreach (var (name, value) in lake.ToEnvironment()) start.Environment[name] = value;
        // As the launcher does.
        TaskRuntime.Prepare(start.Environment);
        return Run(start);
    }

    /// <summary>One child at a time: the kernel adds up the time of children that were waited for.</summary>
    public static Spent Run(ProcessStartInfo start)
    {
        start.RedirectStandardOutput = true;
        var (cpu, began) = (ChildrenCpu(), Stopwatch.GetTimestamp());
        using var process = Process.Start(start)!;
        process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        var wall = Stopwatch.GetElapsedTime(began);
        return process.ExitCode == 0 ? new(wall, ChildrenCpu() - cpu) : throw new InvalidOperationException($"'{start.FileName}' ended with {process.ExitCode}.");
    }

    static TimeSpan ChildrenCpu()
    {
        Span<long> usage = stackalloc long[18];
        if (GetUsage(Children, ref MemoryMarshal.GetReference(usage)) != 0) throw new InvalidOperationException($"getrusage failed with {Marshal.GetLastPInvokeError()}.");
        return TimeSpan.FromSeconds(usage[0] + usage[2]) + TimeSpan.FromMicroseconds(usage[1] + usage[3]);
    }

    // struct rusage on 64-bit Linux: user seconds, microseconds, system seconds, microseconds, then fourteen counters.
    [DllImport("libc", EntryPoint = "getrusage", SetLastError = true)]
    static extern int GetUsage(int who, ref long usage);
}
