using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using LeanPipe.Contracts;

namespace LeanPipe.Orchestrator;

/// <summary>An attempt as a Job: the template of the chart, and what is this attempt's own.</summary>
/// <remarks>The name follows from the attempt alone, so a call that is made again finds its Job instead of starting a second one.</remarks>
static class TaskJob
{
    public const string OwnerLabel = "leanpipe.cloud/owner";
    public const string AttemptAnnotation = "leanpipe.cloud/attempt";
    const string Container = "steprunner", ScratchVolume = "scratch", ScratchPath = "/scratch";
    const int MaxLabel = 63;

    // The step runner ends itself at its timeout and keeps to its scratch; these are for one that cannot.
    static readonly TimeSpan Grace = TimeSpan.FromMinutes(1);
    const double ScratchSlack = 1.1;
    const long ScratchExtraBytes = 64L << 20;

    /// <summary>lp-STEP-TASK-ATTEMPT-HASH, at most 63 characters of a DNS label. The hash is of run, owner and lake too.</summary>
    public static string Name(TaskAttempt attempt, string owner, Uri lake)
    {
        var whole = $"{owner}\n{lake}\n{attempt}";
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(whole)))[..10];
        var step = attempt.Step.Value.Replace('_', '-');
        return $"lp-{(step.Length > 24 ? step[..24] : step).TrimEnd('-')}-{attempt.Task}-{attempt.Attempt.ToString(CultureInfo.InvariantCulture)}-{hash}";
    }

    /// <summary>Every wait that the launcher allows has passed by then: for a Job that no launcher looks after any more.</summary>
    public static TimeSpan Longest(TaskAttempt attempt, KubernetesOptions options) => attempt.Timeout + (2 * Grace) + options.UnschedulableAfter + options.UnstartableAfter;

    /// <exception cref="LeanPipeException"><c>kubernetes.bad_template</c></exception>
    public static JsonObject Build(string template, string name, TaskAttempt attempt, KubernetesOptions options, string? ownerUid)
    {
        var job = Parse(template);
        var metadata = Child(job, "metadata");
        metadata["name"] = name;
        metadata["namespace"] = options.Namespace;
        Label(metadata, attempt, options.Owner);
        Child(metadata, "annotations")[AttemptAnnotation] = attempt.ToString();
        if (ownerUid is not null)
            metadata["ownerReferences"] = new JsonArray(new JsonObject { ["apiVersion"] = "apps/v1", ["kind"] = "Deployment", ["name"] = options.Owner, ["uid"] = ownerUid });

        var spec = Child(job, "spec");
        spec["backoffLimit"] = 0;
        spec["activeDeadlineSeconds"] = (long)Longest(attempt, options).TotalSeconds;
        var podTemplate = Child(spec, "template");
        Label(Child(podTemplate, "metadata"), attempt, options.Owner);
        var pod = Child(podTemplate, "spec");
        pod["restartPolicy"] = "Never";
        pod["activeDeadlineSeconds"] = (long)(attempt.Timeout + Grace).TotalSeconds;

        var container = Named(pod, "containers", Container);
        container["args"] = new JsonArray([.. attempt.Arguments.Concat(["--scratch", ScratchPath]).Select(a => JsonValue.Create(a))]);
        // Of a container that fails, the end of its log comes with its status.
        container["terminationMessagePolicy"] = "FallbackToLogsOnError";
        var limits = attempt.Limits;
        var resources = Child(container, "resources");
        var (requests, most) = (Child(resources, "requests"), Child(resources, "limits"));
        var memory = limits.MemoryBytes.ToString(CultureInfo.InvariantCulture);
        (requests["memory"], most["memory"]) = (memory, memory);
        requests["cpu"] ??= limits.Threads.ToString(CultureInfo.InvariantCulture);
        Child(Named(pod, "volumes", ScratchVolume), "emptyDir")["sizeLimit"] = ((long)(limits.ScratchBytes * ScratchSlack) + ScratchExtraBytes).ToString(CultureInfo.InvariantCulture);
        return job;
    }

    static void Label(JsonObject metadata, TaskAttempt attempt, string owner)
    {
        var labels = Child(metadata, "labels");
        labels[OwnerLabel] = owner;
        labels["leanpipe.cloud/step"] = attempt.Step.Value.TrimEnd('-', '_');
        labels["leanpipe.cloud/task"] = attempt.Task.Value;
        // A label is shorter than a run's id may be, and begins and ends with a letter or digit; the annotation has it whole.
        var run = attempt.Run.Value.Trim('-', '_');
        if (run.Length is > 0 and <= MaxLabel) labels["leanpipe.cloud/run"] = run;
    }

    static JsonObject Parse(string template)
    {
        try
        {
            return JsonNode.Parse(template) as JsonObject ?? throw Bad("it is no JSON object");
        }
        catch (JsonException e)
        {
            throw Bad($"it is no JSON: {e.Message}");
        }
    }

    static JsonObject Child(JsonObject parent, string name)
    {
        if (parent[name] is JsonObject child) return child;
        child = [];
        parent[name] = child;
        return child;
    }

    static JsonObject Named(JsonObject pod, string list, string name) =>
        (pod[list] as JsonArray)?.OfType<JsonObject>().FirstOrDefault(o => (string?)o["name"] == name) ?? throw Bad($"spec.template.spec.{list} has none called '{name}'");

    static LeanPipeException Bad(string what) => new("kubernetes.bad_template", $"The Job template is not usable: {what}. It comes with the chart, in the ConfigMap that ends in -task.");
}
