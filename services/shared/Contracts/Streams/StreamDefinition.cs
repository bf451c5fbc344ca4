namespace LeanPipe.Contracts;

/// <summary>A stream: where its bytes come from, how they become records, and which window a record belongs to.</summary>
public sealed record StreamDefinition
{
    public required StreamName Name { get; init; }

    /// <summary>The document's number among <c>streams/{name}/v1.yaml, v2.yaml, …</c>; null for a stream of one document.</summary>
    public int? Version { get; init; }

    /// <summary>What the schema promises against the version before it.</summary>
    public Compatibility Compatibility { get; init; } = Compatibility.Backward;

    /// <summary>The schema as manifests name it: <c>telemetry</c>, <c>telemetry/v2</c>.</summary>
    public string SchemaId => Version is { } version ? $"{Name}/v{version}" : Name.Value;

    /// <summary>Address and port, <c>0.0.0.0:7001</c>; port 0 takes any free one.</summary>
    public required string Listen { get; init; }

    public FramingDefinition Framing { get; init; } = new NewlineFramingDefinition();
    public DecoderDefinition Decoder { get; init; } = new JsonDecoderDefinition();
    public required RecordType Schema { get; init; }

    /// <summary>Fields that the gateway fills itself; a record that brings one is rejected.</summary>
    public IReadOnlyDictionary<string, StampSource> Stamps { get; init; } = new Dictionary<string, StampSource>();

    /// <summary>The top-level timestamp field that places a record in a window.</summary>
    public required string EventTime { get; init; }

    public WindowSize Window { get; init; } = WindowSize.Hour;

    /// <summary>The watermark stays this far behind the newest event time, so a record may be this late without costing a revision.</summary>
    public TimeSpan Lateness { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>A stream that sent nothing for so long seals its open windows.</summary>
    public TimeSpan SealWhenIdleFor { get; init; } = TimeSpan.FromMinutes(10);

    public AckMode Ack { get; init; } = AckMode.None;
    public ValidationMode Validation { get; init; } = ValidationMode.Before;
    public NetworkDefinition Network { get; init; } = new();
    public StreamLimits Limits { get; init; } = new();
}

public sealed record StreamLimits
{
    /// <summary>A longer frame is rejected whole and counted, without being held in memory.</summary>
    public int MaxFrameBytes { get; init; } = 256 * 1024;

    /// <summary>A segment is cut at this size, or after <see cref="CutAfter"/>, whichever comes first.</summary>
    public long CutAtBytes { get; init; } = 64L * 1024 * 1024;

    public TimeSpan CutAfter { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>At most so many bytes are read ahead of the last fsync: the bound on what a power cut takes from a source that gets no acks.</summary>
    public long MaxUnsyncedBytes { get; init; } = 4L * 1024 * 1024;

    public int MaxConnections { get; init; } = 10_000;

    /// <summary>Connections of one IPv4 address or one IPv6 network of 64 bits; null is no limit beside <see cref="MaxConnections"/>.</summary>
    public int? MaxConnectionsPerIp { get; init; }

    /// <summary>A connection that sent nothing for so long is closed; null keeps silent peers as long as they answer keepalive.</summary>
    public TimeSpan? IdleTimeout { get; init; }

    /// <summary>A frame that has begun must end after the gateway has waited so long for the rest of it.</summary>
    public TimeSpan MaxFrameTime { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>A peer that has said that nothing more comes, and takes none of its acknowledgements for so long, is cut off.</summary>
    public TimeSpan MaxUnreadTime { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>A record whose event time is further ahead of the gateway's clock is rejected: one wrong clock must not seal everybody's windows.</summary>
    public TimeSpan MaxAhead { get; init; } = TimeSpan.FromHours(1);

    /// <summary>A record whose event time is further behind the gateway's clock is rejected. Twenty years: a clock that was never set says 1970, 1980 or 2000, and an archive is seldom older.</summary>
    public TimeSpan MaxBehind { get; init; } = TimeSpan.FromDays(7300);

    /// <summary>A record that would open one more window is rejected: each open window costs memory, and a segment of its own.</summary>
    public int MaxOpenWindows { get; init; } = 10_000;
}

public enum AckMode
{
    /// <summary>The peer gets nothing back; TCP's own window is the back-pressure.</summary>
    None,

    /// <summary>A line <c>ACK n</c> after the fsync that made the connection's first n frames durable.</summary>
    Durable,

    /// <summary>A line <c>ACK n</c> when the objects that hold the connection's first n frames are in the lake.</summary>
    Stored,
}

/// <summary>Whether a frame is decoded and validated before it is written, or afterwards.</summary>
public enum ValidationMode
{
    /// <summary>Records and rejects are what is made durable and acknowledged.</summary>
    Before,

    /// <summary>Frames are made durable and acknowledged as they came; the gateway validates them afterwards.</summary>
    After,
}

/// <summary>What the gateway knows about a frame and the peer does not say.</summary>
public enum StampSource
{
    /// <summary>The gateway's clock when the frame was read, to the microsecond; for a timestamp field without a format.</summary>
    ReceivedAt,

    /// <summary>The peer's address and port; for a string field.</summary>
    Peer,

    /// <summary>The name in the client's certificate; for a string field that is optional or nullable, for there may be none.</summary>
    ClientName,
}

/// <summary>What a schema promises against the version before it.</summary>
public enum Compatibility
{
    /// <summary>What the older version accepts, this one accepts, with columns that can hold it.</summary>
    Backward,

    /// <summary>What this version accepts, the older one accepts.</summary>
    Forward,

    /// <summary>Both.</summary>
    Full,

    /// <summary>Nothing.</summary>
    None,
}
