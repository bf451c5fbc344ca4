namespace LeanPipe.Sidecar;

/// <summary>A component of type <c>bindings.cron</c>.</summary>
/// <param name="Name">Of the component.</param>
/// <param name="Schedule">Six fields from the second to the day of the week, or <c>@every 15s</c>, <c>@daily</c> and the like; see docs/specs/sidecar.md, "Jobs".</param>
/// <param name="Route">Where the app takes it; null = its name.</param>
public sealed record CronBinding(string Name, string Schedule, string? Route = null)
{
    internal string Path => Route is null ? "/" + Uri.EscapeDataString(Name) : Route.StartsWith('/') ? Route : "/" + Route;
}
