using System.Net;
using LeanPipe.Contracts;
using LeanPipe.DaprWire;
using LeanPipe.Sidecar.Jobs;

namespace LeanPipe.Sidecar;

/// <summary>What one sidecar serves, where it listens and where it keeps its state.</summary>
public sealed record SidecarOptions
{
    /// <summary>The app behind this sidecar; source of its events and of what it publishes.</summary>
    public string AppId { get; init; } = "leanpipe";

    /// <summary>More apps beside it, for workflows that name a target app. REST, pub/sub, jobs and bindings are the main app's.</summary>
    public IReadOnlyList<SidecarAppOptions> Apps { get; init; } = [];

    /// <summary>REST, HTTP/1.1. 0 = any free port; see <see cref="SidecarEndpoints"/>.</summary>
    public int HttpPort { get; init; } = 3500;

    /// <summary>gRPC, HTTP/2 without TLS. 0 = any free port.</summary>
    public int GrpcPort { get; init; } = 50001;

    /// <summary>GET /metrics alone, for a scraper that does not know the token. 0 = any free port; null = none, the REST port has it for who knows the token.</summary>
    public int? MetricsPort { get; init; }

    /// <summary>Where the app takes deliveries. Null = no app, or not yet: <see cref="SidecarEndpoints.AppPort"/> can name it later.</summary>
    public int? AppPort { get; init; }

    /// <summary>Holds the journal; belongs to one running sidecar at a time.</summary>
    public required string StateDirectory { get; init; }

    /// <summary>An IP address. Whoever reaches it and knows the token owns the app's workflows.</summary>
    public string ListenAddress { get; init; } = "127.0.0.1";

    /// <summary>Required of every caller when set.</summary>
    public string? ApiToken { get; init; }

    /// <summary>Sent with every delivery to the app when set.</summary>
    public string? AppApiToken { get; init; }

    /// <summary>The one message broker that this sidecar plays.</summary>
    public string PubSubName { get; init; } = EventNames.PubSub;

    /// <summary>Largest message in either direction. A workflow whose history comes to 95 % of it stalls.</summary>
    public int MaxMessageBytes { get; init; } = GrpcFrames.DefaultMaxMessageBytes;

    /// <summary>Turns handed to one worker and not answered yet.</summary>
    public int MaxTurnsPerWorker { get; init; } = 20;

    /// <summary>Activities handed to one worker and not answered yet. With the turns it stays within the 110 items that the JavaScript worker holds.</summary>
    public int MaxActivitiesPerWorker { get; init; } = 80;

    /// <summary>Published and not delivered; beyond it a publish is refused.</summary>
    public int MaxPendingMessages { get; init; } = 100_000;

    /// <summary>Their payloads together, which are in memory until they are delivered; beyond it a publish is refused.</summary>
    public long MaxPendingMessageBytes { get; init; } = 256L * 1024 * 1024;

    /// <summary>Deliveries to the app under way at once.</summary>
    public int MaxConcurrentDeliveries { get; init; } = 8;

    /// <summary>Pause after the first failed delivery or discovery; doubles with each further one.</summary>
    public TimeSpan FirstRetryAfter { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>The pause grows no longer than this.</summary>
    public TimeSpan LastRetryAfter { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>The journal may grow by this much, or to three times its last snapshot, before it is compacted.</summary>
    public long CompactAtBytes { get; init; } = 32L * 1024 * 1024;

    /// <summary>Finished instances stay in memory up to this much history; beyond it they are on the disk only, and are read when asked for.</summary>
    public long ArchiveAtBytes { get; init; } = 4L * 1024 * 1024;

    public RetentionOptions Retention { get; init; } = new();

    /// <summary>Input bindings that the clock triggers; each name once.</summary>
    public IReadOnlyList<CronBinding> CronBindings { get; init; } = [];

    /// <summary>Every broken rule, as one sentence each; empty = usable.</summary>
    internal IEnumerable<string> Errors()
    {
        if (AppId.Length is 0 or > 64)
            yield return $"AppId has {AppId.Length} characters; 1 to 64 are allowed.";
        if (string.IsNullOrWhiteSpace(StateDirectory))
            yield return "StateDirectory is empty; name a directory that only this sidecar uses.";
        if (!IPAddress.TryParse(ListenAddress, out _))
            yield return $"ListenAddress '{ListenAddress}' is not an IP address.";
        if (HttpPort is < 0 or > 65535)
            yield return $"HttpPort {HttpPort} is not between 0 and 65535.";
        if (GrpcPort is < 0 or > 65535)
            yield return $"GrpcPort {GrpcPort} is not between 0 and 65535.";
        if (HttpPort == GrpcPort && HttpPort != 0)
            yield return $"HttpPort and GrpcPort are both {HttpPort}; the two protocols need a port each.";
        if (MetricsPort is < 0 or > 65535)
            yield return $"MetricsPort {MetricsPort} is not between 0 and 65535.";
        if (MetricsPort is > 0 && (MetricsPort == HttpPort || MetricsPort == GrpcPort))
            yield return $"MetricsPort is {MetricsPort}, as another port is; it asks for no token, so it needs a port of its own.";
        if (MaxMessageBytes < 64 * 1024)
            yield return $"MaxMessageBytes {MaxMessageBytes} is below 65536; no workflow of any length would fit.";
        if (MaxTurnsPerWorker < 1 || MaxActivitiesPerWorker < 1 || MaxConcurrentDeliveries < 1 || MaxPendingMessages < 1 || MaxPendingMessageBytes < 1)
            yield return "MaxTurnsPerWorker, MaxActivitiesPerWorker, MaxConcurrentDeliveries, MaxPendingMessages and MaxPendingMessageBytes must be at least 1.";
        if (FirstRetryAfter <= TimeSpan.Zero || LastRetryAfter < FirstRetryAfter)
            yield return "FirstRetryAfter must be above zero, and LastRetryAfter not below it.";
        if (Retention.Completed < TimeSpan.Zero || Retention.Failed < TimeSpan.Zero || Retention.Terminated < TimeSpan.Zero)
            yield return "Retention must not be below zero; null keeps instances until they are purged.";
        foreach (var app in Apps.Where(a => a.AppId.Length is 0 or > 64 || a.AppId.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.'))))
            yield return $"Apps has '{app.AppId}'; an app id is 1 to 64 letters, digits, '-', '_' and '.'.";
        foreach (var app in Apps.Where(a => a.AppId == AppId || Apps.Count(other => other.AppId == a.AppId) > 1))
            yield return $"Apps has '{app.AppId}', which another app of this sidecar is called too.";
        if (Apps.Select(a => a.GrpcPort).Append(GrpcPort).Append(HttpPort).Where(p => p != 0).CountBy(p => p).Any(p => p.Value > 1) || Apps.Any(a => a.GrpcPort is < 0 or > 65535))
            yield return "Apps need a GrpcPort each, between 0 and 65535, that no other listener has.";
        foreach (var error in CronBindings.SelectMany(CronErrors))
            yield return error;
        foreach (var twice in CronBindings.CountBy(b => b.Name).Where(b => b.Value > 1))
            yield return $"CronBindings has '{twice.Key}' {twice.Value} times; a binding is known by its name.";
    }

    static IEnumerable<string> CronErrors(CronBinding binding)
    {
        if (string.IsNullOrWhiteSpace(binding.Name) || !binding.Path.StartsWith('/') || !Uri.IsWellFormedUriString(binding.Path, UriKind.Relative))
            yield return $"The cron binding '{binding.Name}' has no name, or its route '{binding.Path}' is no path of a URL.";
        if (!JobSchedule.TryParse(binding.Schedule, TimeZoneInfo.Local, out _, out var wrong))
            yield return $"The cron binding '{binding.Name}' has no usable schedule: {wrong}.";
    }
}
