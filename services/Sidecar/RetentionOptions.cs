namespace LeanPipe.Sidecar;

/// <summary>How long a finished workflow instance is kept before it is purged by itself. Null = until somebody purges it.</summary>
/// <remarks>Whoever starts a workflow under an id that must run once only has to know by other means, later than this, that it has run.</remarks>
public sealed record RetentionOptions
{
    public TimeSpan? Completed { get; init; } = TimeSpan.FromDays(7);

    /// <summary>Longer, because somebody may still want to know why.</summary>
    public TimeSpan? Failed { get; init; } = TimeSpan.FromDays(30);

    /// <inheritdoc cref="Failed"/>
    public TimeSpan? Terminated { get; init; } = TimeSpan.FromDays(30);

    /// <summary>Nothing is purged by itself.</summary>
    public static RetentionOptions Forever { get; } = new() { Completed = null, Failed = null, Terminated = null };
}
