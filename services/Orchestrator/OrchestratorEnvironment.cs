using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Orchestrator;

/// <summary>The options of the service as a program of its own. Inside a cluster, where the chart names a template for Jobs, tasks run as Jobs; elsewhere as child processes.</summary>
static class OrchestratorEnvironment
{
    /// <exception cref="LeanPipeException">Something is set wrong; with every broken rule.</exception>
    public static OrchestratorOptions Read(LakeOptions lake, Func<string, string?> variable)
    {
        var errors = new List<string>();
        var defaults = new TaskLimits();
        var (threads, memory) = (EnvironmentText.Count(variable, "LEANPIPE_TASK_THREADS", errors), EnvironmentText.Bytes(variable, "LEANPIPE_TASK_MEMORY", errors));
        var (scratch, timeout) = (EnvironmentText.Bytes(variable, "LEANPIPE_TASK_SCRATCH", errors), EnvironmentText.Duration(variable, "LEANPIPE_TASK_TIMEOUT", errors));
        var (tableMemory, tableScratch) = (EnvironmentText.Bytes(variable, "LEANPIPE_TABLE_MEMORY", errors), EnvironmentText.Bytes(variable, "LEANPIPE_TABLE_SCRATCH", errors));
        var tasks = EnvironmentText.Count(variable, "LEANPIPE_MAX_TASKS", errors);
        var cluster = KubernetesOptions.FromEnvironment(variable);
        var warm = WarmOptions.FromEnvironment(variable, errors);
        if (errors.Count > 0) throw new LeanPipeException("orchestrator.bad_options", string.Join(' ', errors));
        var options = new OrchestratorOptions
        {
            Lake = lake,
            Config = variable("LEANPIPE_CONFIG") ?? ".",
            Kubernetes = cluster,
            Warm = warm,
            // The machine that this service stands on says nothing about those that take its Jobs.
            TaskLimits = cluster is null && threads is null && memory is null && scratch is null && timeout is null ? null : new()
            {
                Threads = threads ?? defaults.Threads,
                MemoryBytes = memory ?? defaults.MemoryBytes,
                ScratchBytes = scratch ?? defaults.ScratchBytes,
                Timeout = timeout ?? defaults.Timeout,
            },
        };
        if (tableMemory is { } tables) options = options with { TableMemoryBytes = tables };
        if (tableScratch is { } scratchOfTables) options = options with { TableScratchBytes = scratchOfTables };
        return tasks is { } most ? options with { MaxConcurrentTasks = most } : options;
    }
}
