namespace LeanPipe.Contracts;

/// <summary>How long the lake keeps what. Null keeps it for ever.</summary>
public sealed record HousekeepingPolicy
{
    /// <summary>When it runs by itself, as Dapr's jobs write it: <c>@daily</c>, <c>@every 6h</c>, or six fields of cron. Null: only when somebody asks.</summary>
    public string? Schedule { get; init; }

    /// <summary>Raw segments, counted from the sealing of their window, and only once every pipeline that reads the stream has published what it made of them.</summary>
    public TimeSpan? Raw { get; init; }

    /// <summary>Rejected records, counted from their arrival.</summary>
    public TimeSpan? Rejected { get; init; } = TimeSpan.FromDays(30);

    /// <summary>Frames as they came, counted from their arrival in the lake, and only once everything that they became is there. Without them a window is made anew from its records only.</summary>
    public TimeSpan? Frames { get; init; }

    /// <summary>What replays have made of windows and later replays took the place of, counted from the sealing of the revision that did.</summary>
    public TimeSpan? Replays { get; init; } = TimeSpan.FromDays(30);

    /// <summary>The intermediates of a run (tasks, attempts, chunks), counted from its end. Its plan, its record and its tasks' records stay.</summary>
    public TimeSpan? Runs { get; init; } = TimeSpan.FromDays(14);

    /// <summary>Attempts that lost, of runs that completed, counted from the run's end.</summary>
    public TimeSpan? Attempts { get; init; } = TimeSpan.FromDays(1);

    /// <summary>Results that later runs may reuse, counted from when they were made.</summary>
    public TimeSpan? Cache { get; init; } = TimeSpan.FromDays(14);

    /// <summary>Versions of tables: what was the newest version within this time can be read.</summary>
    public TimeSpan? TableVersions { get; init; } = TimeSpan.FromDays(7);

    /// <summary>Small files of tables become few of about this size; null leaves them.</summary>
    public long? CompactToBytes { get; init; } = 128L << 20;

    /// <summary>Where raw segments and rejected records go instead of being deleted: a folder or <c>s3://bucket/prefix</c>, reached with the lake's own endpoint and credentials. Null deletes.</summary>
    public string? ColdStorage { get; init; }

    /// <summary>The S3 storage class that raw segments and rejected records get, where they are, instead of being deleted; one whose objects can be read at once. Null deletes, or moves.</summary>
    public string? ColdClass { get; init; }
}
