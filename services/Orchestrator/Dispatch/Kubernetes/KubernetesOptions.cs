using System.Globalization;
using LeanPipe.Contracts;

namespace LeanPipe.Orchestrator;

/// <summary>Tasks as Jobs: which cluster, and what every Job is made of.</summary>
public sealed record KubernetesOptions
{
    const string Account = "/var/run/secrets/kubernetes.io/serviceaccount";

    /// <summary>The API server.</summary>
    public required Uri Server { get; init; }

    public required string Namespace { get; init; }

    /// <summary>A Job as JSON: image, identity, placement, security. Name, labels, arguments, resources and deadlines are added per task.</summary>
    public required string JobTemplate { get; init; }

    /// <summary>The Deployment that owns the Jobs, so that they go with it. It also marks them: several orchestrators of a namespace see only their own.</summary>
    public required string Owner { get; init; }

    /// <summary>The service account's token. The kubelet replaces it while we run, so it is read again and again.</summary>
    public string TokenFile { get; init; } = $"{Account}/token";

    /// <summary>Certificates that the API server's is checked against; null takes the system's.</summary>
    public string? CaFile { get; init; } = $"{Account}/ca.crt";

    /// <summary>A pod that no node has room for fails its task after so long.</summary>
    public TimeSpan UnschedulableAfter { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>A pod that cannot start, for its image or a Secret is missing, and a Job that gets no pod, fail the task after so long.</summary>
    public TimeSpan UnstartableAfter { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>A pod that is being deleted and does not end, for its node is gone, counts as lost after so long.</summary>
    public TimeSpan LeavingAfter { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>No task ends sooner: a pod alone takes so long to start.</summary>
    public TimeSpan FirstLook { get; init; } = TimeSpan.FromMilliseconds(400);

    /// <summary>Looks into the lake for an outcome are at least so far apart.</summary>
    public TimeSpan LookEvery { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Once they would be further apart than this there are no more of them: the cluster tells by then.</summary>
    public TimeSpan LooksApart { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>A call that the API server does not answer is given up after so long, and made again.</summary>
    public TimeSpan CallTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Calls that fail for a passing reason are repeated for so long; then the activity fails, and is repeated in its turn.</summary>
    public TimeSpan RetryFor { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Pause before the first repetition; doubled up to <see cref="LastRetry"/>. What the server asks for with Retry-After comes first.</summary>
    public TimeSpan FirstRetry { get; init; } = TimeSpan.FromMilliseconds(200);

    public TimeSpan LastRetry { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>What the pod's environment says; null outside a cluster, or when no template is named.</summary>
    /// <exception cref="LeanPipeException"><c>orchestrator.bad_options</c>, with every broken rule.</exception>
    public static KubernetesOptions? FromEnvironment(Func<string, string?> variable)
    {
        if (variable("LEANPIPE_JOB_TEMPLATE") is not { Length: > 0 } template || variable("KUBERNETES_SERVICE_HOST") is not { Length: > 0 } host) return null;
        var errors = new List<string>();
        var port = variable("KUBERNETES_SERVICE_PORT") is { Length: > 0 } given ? given : "443";
        var owner = variable("LEANPIPE_JOB_OWNER") ?? "";
        if (owner.Length == 0) errors.Add("LEANPIPE_JOB_OWNER is not set: name the orchestrator's Deployment.");
        if (!File.Exists(template)) errors.Add($"LEANPIPE_JOB_TEMPLATE names '{template}', which does not exist: mount the ConfigMap with the Job's template.");
        var space = variable("LEANPIPE_JOB_NAMESPACE") is { Length: > 0 } named ? named : ReadOrEmpty($"{Account}/namespace");
        if (space.Length == 0) errors.Add($"'{Account}/namespace' cannot be read: set automountServiceAccountToken, or LEANPIPE_JOB_NAMESPACE.");
        var defaults = new KubernetesOptions { Server = new($"https://{(host.Contains(':') ? $"[{host}]" : host)}:{port}"), Namespace = space, JobTemplate = template, Owner = owner };
        var options = defaults with
        {
            UnschedulableAfter = EnvironmentText.Duration(variable, "LEANPIPE_UNSCHEDULABLE_AFTER", errors) ?? defaults.UnschedulableAfter,
            UnstartableAfter = EnvironmentText.Duration(variable, "LEANPIPE_UNSTARTABLE_AFTER", errors) ?? defaults.UnstartableAfter,
        };
        return errors.Count == 0 ? options : throw new LeanPipeException("orchestrator.bad_options", string.Join(' ', errors));
    }

    static string ReadOrEmpty(string file) => File.Exists(file) ? File.ReadAllText(file).Trim() : "";
}

/// <summary>Sizes and times as a chart's values write them.</summary>
static class EnvironmentText
{
    static readonly (string Unit, decimal Scale)[] Sizes =
        [("Ki", 1L << 10), ("Mi", 1L << 20), ("Gi", 1L << 30), ("Ti", 1L << 40), ("k", 1000), ("M", 1_000_000), ("G", 1_000_000_000), ("T", 1_000_000_000_000), ("", 1)];

    static readonly (string Unit, decimal Scale)[] Times =
        [("ms", TimeSpan.TicksPerMillisecond), ("s", TimeSpan.TicksPerSecond), ("m", TimeSpan.TicksPerMinute), ("h", TimeSpan.TicksPerHour), ("d", TimeSpan.TicksPerDay)];

    /// <summary>1Gi, 512Mi, 1000000.</summary>
    public static long? Bytes(Func<string, string?> variable, string name, List<string> errors) =>
        Parse(variable(name), Sizes, name, "a quantity such as 512Mi or 4Gi", errors);

    /// <summary>30s, 10m, 1h.</summary>
    public static TimeSpan? Duration(Func<string, string?> variable, string name, List<string> errors) =>
        Parse(variable(name), Times, name, "a duration such as 30s, 10m or 1h", errors) is { } ticks ? new TimeSpan(ticks) : null;

    public static int? Count(Func<string, string?> variable, string name, List<string> errors) =>
        Parse(variable(name), [("", 1)], name, "a whole number from 1", errors) is { } count ? (int)Math.Min(count, int.MaxValue) : null;

    static long? Parse(string? text, (string Unit, decimal Scale)[] units, string name, string rule, List<string> errors)
    {
        if (string.IsNullOrEmpty(text)) return null;
        foreach (var (unit, scale) in units)
            if (text.EndsWith(unit, StringComparison.Ordinal) &&
                decimal.TryParse(text.AsSpan(0, text.Length - unit.Length), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) &&
                number > 0 && number <= long.MaxValue / scale) return (long)(number * scale);
        errors.Add($"{name} is '{text}': expected {rule}.");
        return null;
    }
}
