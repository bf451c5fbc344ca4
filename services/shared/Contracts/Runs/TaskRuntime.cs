namespace LeanPipe.Contracts;

/// <summary>How the runtime of a task's process starts; for whoever starts one.</summary>
public static class TaskRuntime
{
    /// <summary>Nobody attaches to a process of milliseconds, so it opens no socket for diagnostics and loads no trace provider: a tenth of an empty task. What is set already stays.</summary>
    public static void Prepare(IDictionary<string, string?> environment)
    {
        environment.TryAdd("DOTNET_EnableDiagnostics", "0");
        environment.TryAdd("DOTNET_LTTng", "0");
    }
}
