using System.Net;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Gateway;

/// <summary>What one gateway takes in, where it keeps its log and where its segments go.</summary>
public sealed record GatewayOptions
{
    public required IReadOnlyList<StreamDefinition> Streams { get; init; }

    /// <summary>The configuration folder that <see cref="Streams"/> came from; changes of its stream documents are taken while the gateway runs. Null: none are.</summary>
    public string? StreamsFolder { get; init; }

    /// <summary>Documents are read so long after the last change of a file, for a person's editor and a mounted volume change several.</summary>
    public TimeSpan ReloadAfter { get; init; } = TimeSpan.FromMilliseconds(300);

    /// <summary>Whether SIGHUP reads the documents again. For a process of its own: elsewhere the signal says that the terminal is gone.</summary>
    public bool ReloadOnHangup { get; init; }

    public required LakeOptions Lake { get; init; }

    /// <summary>The write-ahead log's folder. It belongs to one running gateway at a time and must outlive its process.</summary>
    public required string LogDirectory { get; init; }

    /// <summary>Part of every segment's name, so unique among the gateways of a lake; a name as <see cref="Name.Rule"/> says.</summary>
    public string Id { get; init; } = "gateway-0";

    /// <summary>Address and port of health and ledger; null when the caller gives the web application a listener of its own.</summary>
    public string? Http { get; init; }

    /// <summary>Under load an fsync waits so long for more to come along; what comes to an idle log waits for nothing.</summary>
    public TimeSpan MaxCommitDelay { get; init; } = TimeSpan.FromMilliseconds(5);

    /// <summary>A commit that has so many bytes waits no longer.</summary>
    public int CommitAtBytes { get; init; } = 1024 * 1024;

    /// <summary>Reading stops while the log is larger, which is what a store outage leads to; frames that are not validated yet count with what they may become. Metadata may go a little beyond.</summary>
    public long MaxLogBytes { get; init; } = 4L * 1024 * 1024 * 1024;

    /// <summary>The log begins a new file at this size; whole files are what truncation removes.</summary>
    public long LogFileBytes { get; init; } = 64L * 1024 * 1024;

    /// <summary>
    /// Goes on with what is left when a part of the log cannot be read (docs/specs/log.md). Without it such a gateway does not start, for acknowledged records may have been in that part and
    /// restoring the disk may bring them back.
    /// </summary>
    public bool AcceptLogDamage { get; init; }

    /// <summary>Reading stops while the log's file system has less left, so that what is read already can still be recorded, uploaded and removed.</summary>
    public long MinFreeDiskBytes { get; init; } = 64L * 1024 * 1024;

    /// <summary>A call to the store that takes longer has failed and is made again; long enough for a whole segment over a slow line.</summary>
    public TimeSpan StoreTimeout { get; init; } = TimeSpan.FromMinutes(3);

    /// <summary>Late records of a sealed window become a new revision when none came for so long.</summary>
    public TimeSpan LateSealAfter { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Late records wait no longer than this, even when they keep coming.</summary>
    public TimeSpan LateSealAtMost { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>With <c>ack: stored</c>, a connection that has been silent for so long may be waiting for its acknowledgement: what it sent is cut at once.</summary>
    public TimeSpan StoredAckAfter { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>A rejected frame is kept up to so many bytes.</summary>
    public int RejectKeepsBytes { get; init; } = 4096;

    /// <summary>At shutdown a connection is read until it was silent for this long.</summary>
    public TimeSpan DrainQuiet { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>At shutdown a connection that is never silent is read for this long, and uploads are tried for this long.</summary>
    public TimeSpan DrainAtMost { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>PROXY header and TLS handshake together take at most so long.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How often the files of certificates are looked at for new ones.</summary>
    public TimeSpan CertificateCheckEvery { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How often a port that could not be bound is tried again.</summary>
    internal TimeSpan ListenAgainAfter { get; init; } = TimeSpan.FromSeconds(1);

    internal BufferSizes Buffers { get; init; } = new();

    /// <summary>So many sealed windows of a stream are told one by one in the ledger and the log's checkpoints; older ones as a sum.</summary>
    internal int RememberedWindows { get; init; } = Windows.GatewayState.RememberedWindows;

    /// <summary>Every broken rule, as one sentence each; none = usable.</summary>
    internal IEnumerable<string> Errors()
    {
        if (!Name.IsValid(Id)) yield return $"Id '{Id}' is no name: expected {Name.Rule}.";
        if (string.IsNullOrWhiteSpace(LogDirectory)) yield return "LogDirectory is empty: name a folder that only this gateway uses.";
        if (Http is not null && !IPEndPoint.TryParse(Http, out _)) yield return $"Http '{Http}' is no address: expected IP and port, 127.0.0.1:8080.";
        foreach (var twice in Streams.GroupBy(s => s.Name).Where(g => g.Count() > 1)) yield return $"The stream '{twice.Key}' is defined twice.";
        foreach (var stream in Streams)
        {
            if (!IPEndPoint.TryParse(stream.Listen, out _)) yield return $"The stream '{stream.Name}' listens on '{stream.Listen}': expected IP and port, 0.0.0.0:7001.";
            if (stream.Limits.MaxFrameBytes is < 16 or > 64 * 1024 * 1024) yield return $"The stream '{stream.Name}' has max_frame {stream.Limits.MaxFrameBytes}: expected 16 to 67108864 bytes.";
            if (stream.Limits.CutAtBytes < 1) yield return $"The stream '{stream.Name}' has cut_at {stream.Limits.CutAtBytes}: expected at least 1 byte.";
        }
        if (MaxCommitDelay < TimeSpan.Zero || MaxCommitDelay > TimeSpan.FromSeconds(1)) yield return $"MaxCommitDelay {MaxCommitDelay} is not between zero and one second.";
        if (LogFileBytes < 4096) yield return $"LogFileBytes {LogFileBytes} is below 4096.";
        if (MaxLogBytes < LogFileBytes) yield return $"MaxLogBytes {MaxLogBytes} is below LogFileBytes {LogFileBytes}: one file must fit.";
        if (RejectKeepsBytes < 0 || CommitAtBytes < 1) yield return "RejectKeepsBytes and CommitAtBytes must not be negative.";
        if (LateSealAfter < TimeSpan.Zero || LateSealAtMost < LateSealAfter) yield return "LateSealAfter must not be negative, and LateSealAtMost not below it.";
        if (HandshakeTimeout <= TimeSpan.Zero || CertificateCheckEvery <= TimeSpan.Zero) yield return "HandshakeTimeout and CertificateCheckEvery must be above zero.";
        if (DrainQuiet <= TimeSpan.Zero || DrainAtMost < DrainQuiet) yield return "DrainQuiet must be above zero, and DrainAtMost not below it.";
    }
}
