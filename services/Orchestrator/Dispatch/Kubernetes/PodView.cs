using System.Text.Json;

namespace LeanPipe.Orchestrator;

enum PodStage
{
    /// <summary>On its way: being scheduled, pulling, creating.</summary>
    Pending,

    /// <summary>No node has room for it, or takes it.</summary>
    Unschedulable,

    /// <summary>Its image or a Secret cannot be had; the kubelet keeps trying.</summary>
    Unstartable,

    /// <summary>Nothing that the kubelet tries can make it start.</summary>
    Broken,
    Running,

    /// <summary>Somebody deletes it and it has not ended yet.</summary>
    Leaving,
    Ended,
}

/// <summary>What a pod's status says about its task.</summary>
/// <param name="ExitCode">Of an ended container; 128 + n by signal n; -1 when the container never ran.</param>
/// <param name="Reason">Kubernetes' word: OOMKilled, Evicted, ImagePullBackOff, Unschedulable, …</param>
/// <param name="Message">Kubernetes' sentence, or what an ended container wrote last.</param>
readonly record struct PodView(PodStage Stage, int ExitCode, string Reason, string Message)
{
    public static PodView Of(JsonElement pod)
    {
        var (phase, reason, message) = (pod.Text("status", "phase"), pod.Text("status", "reason"), pod.Text("status", "message"));
        var container = pod.Items("status", "containerStatuses").FirstOrDefault();
        if (container.At("state", "terminated") is { ValueKind: JsonValueKind.Object } ended)
        {
            // The pod's own reason (Evicted, DeadlineExceeded) says why; the container's then only that it was killed.
            return new(PodStage.Ended, ended.At("exitCode").GetInt32(), reason.Length > 0 ? reason : ended.Text("reason"), reason.Length > 0 ? message : ended.Text("message"));
        }
        if (phase == "Failed") return new(PodStage.Ended, -1, reason, message);
        if (phase == "Succeeded") return new(PodStage.Ended, 0, reason, message);
        if (pod.At("metadata", "deletionTimestamp").ValueKind == JsonValueKind.String) return new(PodStage.Leaving, -1, reason, message);
        if (container.At("state", "running").ValueKind == JsonValueKind.Object) return new(PodStage.Running, -1, "", "");
        if (container.Text("state", "waiting", "reason") is { Length: > 0 } waits)
        {
            var why = container.Text("state", "waiting", "message");
            if (waits is "InvalidImageName") return new(PodStage.Broken, -1, waits, why);
            if (waits is "ErrImagePull" or "ImagePullBackOff" or "ErrImageNeverPull" or "RegistryUnavailable" or "ImageInspectError" or "CreateContainerConfigError" or "CreateContainerError" or "RunContainerError")
                return new(PodStage.Unstartable, -1, waits, why);
        }
        if (pod.Condition("PodScheduled", "False") is { } unscheduled) return new(PodStage.Unschedulable, -1, unscheduled.Text("reason"), unscheduled.Text("message"));
        return new(PodStage.Pending, -1, "", "");
    }
}
