using LeanPipe.Contracts;

namespace LeanPipe.Orchestrator;

/// <summary>How an attempt ended, in words that tell a person what to change.</summary>
static class PodEnds
{
    /// <param name="tail">The last of what it wrote.</param>
    public static LaunchEnd Ended(PodView pod, TaskLimits limits, string tail) => pod.Reason switch
    {
        "DeadlineExceeded" => new(pod.ExitCode, true, tail),
        "OOMKilled" => new(137, false, tail, new("task.oom_killed", $"The container used more than its {limits.MemoryBytes >> 20} MiB and was killed (OOMKilled). Give tasks more memory, or less data each.", Transient: true)),
        // What overflows once does so again; a node that is short of something may not be.
        "Evicted" => new(pod.ExitCode, false, tail, new("task.evicted", $"The pod was evicted: {pod.Message}".TrimEnd(' ', ':'), Transient: !pod.Message.Contains("emptyDir", StringComparison.OrdinalIgnoreCase))),
        "StartError" or "ContainerCannotRun" => new(pod.ExitCode, false, tail, new("task.unstartable", $"The container could not be started ({pod.Reason}): {pod.Message}", Transient: false)),
        _ when pod.ExitCode >= 0 => new(pod.ExitCode, false, tail),
        _ => new(pod.ExitCode, false, tail, new("task.node_gone", $"The pod failed without its container having ended ({Or(pod.Reason, "no reason given")}): {Or(pod.Message, "most likely its node is gone")}", Transient: true)),
    };

    /// <summary>It never ran, and waiting longer is no use.</summary>
    public static LaunchEnd GivenUp(PodView pod, string job, TimeSpan waited) => new(-1, false, "", pod.Stage switch
    {
        PodStage.Unschedulable => new("task.unschedulable", $"No node took the pod of Job {job} within {waited}: {Sentence(pod.Message)} Ask for less per task, add nodes, or wait longer; then start the run again under its id.", Transient: false),
        PodStage.Unstartable or PodStage.Broken => new("task.unstartable", $"The pod of Job {job} cannot start ({pod.Reason}): {Sentence(pod.Message)} Put it right, then start the run again under its id.", Transient: false),
        PodStage.Leaving => new("task.node_gone", $"The pod of Job {job} was being deleted and did not end within {waited}: most likely its node is gone.", Transient: true),
        _ => new("task.no_pod", $"Job {job} got no pod that runs within {waited}. 'kubectl describe job {job}' says why: a quota, or a policy that refuses the pod.", Transient: false),
    });

    public static LaunchEnd Gone(string what) => new(-1, false, "", new("task.pod_deleted", $"{what} was deleted before it ended.", Transient: true));

    public static LaunchEnd Refused(string job, ApiAnswer answer) => new(-1, false, "", new("task.job_refused", $"The API server refused Job {job} ({(int)answer.Code}): {answer.Message}", Transient: false));

    /// <summary>The Job's own verdict, where the pod's did not come.</summary>
    public static LaunchEnd JobFailed(string job, string reason, string message) => reason == "DeadlineExceeded"
        ? new(-1, true, "")
        : new(-1, false, "", new("task.pod_deleted", $"Job {job} failed ({reason}): {message}", Transient: true));

    static string Sentence(string text) => text.Length == 0 ? "nothing more is said." : text.TrimEnd(' ', '.') + ".";

    static string Or(string text, string other) => text.Length > 0 ? text : other;
}
