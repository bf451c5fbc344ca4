namespace LeanPipe.Integration.DaprBehaviour;

/// <summary>An instance as a client shows it; payloads as JSON text, null where there is none.</summary>
sealed record Seen(string Status, string? Name, string? Input, string? Output, string? CustomStatus, string? Failure);

/// <summary>What both official clients can do, in one shape. A refusal is an exception.</summary>
interface IClient : IAsyncDisposable
{
    Task StartAsync(string workflow, object? input, string instance, DateTimeOffset? startAt = null);

    /// <summary>Null when there is no such instance.</summary>
    Task<Seen?> GetAsync(string instance);

    Task<Seen> WaitForStartAsync(string instance);

    Task<Seen> WaitForEndAsync(string instance);

    Task RaiseAsync(string instance, string name, object? payload);

    Task SuspendAsync(string instance);

    Task ResumeAsync(string instance);

    Task TerminateAsync(string instance, object? output);

    Task<bool> PurgeAsync(string instance);
}
