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

    /// <summary>Of <see cref="Windows"/>, records whose frames are kept (<c>validate: after</c>). Null when there is none.</summary>
    public IReadOnlyDictionary<string, long>? Kept { get; init; }

    /// <summary>The sum of windows that are not told one by one any more: sealed long ago, with everything in them listed. Null when there is none.</summary>
    public OlderWindows? OlderWindows { get; init; }

    /// <summary>Which frames are in the lake, when the gateway has kept any; what they became is in the figures above.</summary>
    public StoredFrames? StoredFrames { get; init; }

    /// <summary>Open connections, then the newest that have ended. With <see cref="OlderConnections"/> they add up to the sums above.</summary>
    public IReadOnlyList<ConnectionLedger>? ByConnection { get; init; }

    /// <summary>The sum of all connections that are not in <see cref="ByConnection"/>.</summary>
    public ConnectionLedger? OlderConnections { get; init; }

    /// <summary>The same figures by the window of the gateway's clock in which bytes arrived, oldest first: the newest windows. With <see cref="OlderArrivals"/> they add up to the sums above. Null when an older gateway wrote it.</summary>
    public IReadOnlyList<ArrivalLedger>? ByArrival { get; init; }

    /// <summary>The sum of all windows that are not in <see cref="ByArrival"/>.</summary>
    public ArrivalLedger? OlderArrivals { get; init; }

    /// <summary>A position of the gateway's log: what stands behind it, and objects named by such positions, are not in here.</summary>
    public long? UpTo { get; init; }
}

/// <summary>The two sums of what arrived in one window, or in several added up, and what of its rejects is in the store.</summary>
public sealed record ArrivalLedger
{
    /// <summary>By the gateway's clock, as in keys of <c>rejected/</c>; of a sum the newest of its windows, null when there is none.</summary>
    public string? Window { get; init; }

    public long BytesReceived { get; init; }
    public long BytesFramed { get; init; }
    public long BytesRejected { get; init; }
    public long BytesPartial { get; init; }
    public long Frames { get; init; }
    public long Records { get; init; }
    public long Rejects { get; init; }

    /// <summary>Objects below <c>rejected/</c>; null when some were stored by a gateway that did not count them.</summary>
    public StoredObjects? Stored { get; init; }
}

/// <param name="Rows">Lines in them.</param>
/// <param name="Bytes">Of the objects.</param>
/// <param name="Digest">The SHA-256 of each, combined by exclusive or: any order, 64 hexadecimal digits.</param>
public sealed record StoredObjects(int Objects, long Rows, long Bytes, string Digest);

/// <summary>Windows that a ledger has added up.</summary>
/// <param name="Before">None of them ends later. What comes for one of them after all is told by itself until that is listed, too.</param>
/// <param name="Kept">Of the records, those whose frames are kept.</param>
public sealed record OlderWindows(DateTimeOffset Before, long Records, long Kept);

/// <summary>Frames of a gateway that are in the lake.</summary>
/// <param name="Log">Of the gateway's log, 16 hex digits, as segments' names have it.</param>
/// <param name="UpTo">Every frame before this position of the log is, and none behind it.</param>
/// <param name="SettledUpTo">Segments of frames whose names have a lower position are done with: all that they became is in the store.</param>
public sealed record StoredFrames(string Log, long UpTo, long SettledUpTo = 0);

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
