namespace LeanPipe.Contracts;

/// <summary>What one gateway did with every byte of one stream. It holds exactly what is durable in that gateway's log.</summary>
/// <remarks>
/// Two sums always hold: <see cref="BytesReceived"/> = <see cref="BytesFramed"/> + <see cref="BytesRejected"/> + <see cref="BytesPartial"/>, and
/// <see cref="Frames"/> = <see cref="Records"/> + the sum of <see cref="Rejects"/>.
/// </remarks>
public sealed record Ledger
{
    static readonly IReadOnlyDictionary<string, long> None = new SortedDictionary<string, long>(StringComparer.Ordinal);

    public int Version { get; init => field = value == 0 ? 1 : value; } = 1;
    public required StreamName Stream { get; init; }
    public required string Gateway { get; init; }
    public required DateTimeOffset AsOf { get; init; }
    public long Connections { get; init; }
    public long BytesReceived { get; init; }

    /// <summary>Bytes of frames that became records, delimiters and length prefixes included.</summary>
    public long BytesFramed { get; init; }

    /// <summary>Bytes of frames that were rejected, delimiters included.</summary>
    public long BytesRejected { get; init; }

    /// <summary>Bytes after the last whole frame of a connection that ended.</summary>
    public long BytesPartial { get; init; }

    public long Frames { get; init; }
    public long Records { get; init; }

    /// <summary>Rejected frames by reason code.</summary>
    public IReadOnlyDictionary<string, long> Rejects { get; init => field = value ?? None; } = None;

    /// <summary>Records by the event-time window they belong to.</summary>
    public IReadOnlyDictionary<string, long> Windows { get; init => field = value ?? None; } = None;

    /// <summary>Records that came after their window had been sealed once.</summary>
    public long Late { get; init; }

    /// <summary>Of <see cref="Windows"/>, rows that are in the store; the others are still in the gateway's log. Null when an older gateway wrote it.</summary>
    public IReadOnlyDictionary<string, long>? Stored { get; init; }

    /// <summary>Of <see cref="Stored"/>, rows in segments that a manifest of this gateway lists.</summary>
    public IReadOnlyDictionary<string, long>? Listed { get; init; }

    /// <summary>Durable frames that are not validated yet (<c>validate: after</c>): they are in no other figure until they are. Null when there is none.</summary>
    public long? Unvalidated { get; init; }

    /// <summary>Open connections, then the newest that have ended. With <see cref="OlderConnections"/> they add up to the sums above.</summary>
    public IReadOnlyList<ConnectionLedger>? ByConnection { get; init; }

    /// <summary>The sum of all connections that are not in <see cref="ByConnection"/>.</summary>
    public ConnectionLedger? OlderConnections { get; init; }
}

/// <summary>The two sums of one connection, or of several added up.</summary>
public sealed record ConnectionLedger
{
    /// <summary>Its number in the gateway's log, which rejects carry too; 0 for a sum.</summary>
    public long Connection { get; init; }

    public bool IsOpen { get; init; }
    public long BytesReceived { get; init; }
    public long BytesFramed { get; init; }
    public long BytesRejected { get; init; }
    public long BytesPartial { get; init; }
    public long Frames { get; init; }
    public long Records { get; init; }
    public long Rejects { get; init; }
}
