using System.Text.Json;

namespace LeanPipe.Gateway.Network;

/// <summary>Why a connection was refused or has ended. The snake_case text is stable: it stands in metrics, in the ledger and in log lines (docs/specs/wire.md).</summary>
enum CloseReason
{
    /// <summary>The peer has said that nothing more comes.</summary>
    Finished,

    /// <summary>The peer, or something on the way, cut the connection off.</summary>
    Reset,

    /// <summary>The peer answered neither keepalive nor data: it lost its power or its way.</summary>
    HalfOpen,

    /// <summary>Nothing came for idle_timeout.</summary>
    Idle,

    /// <summary>The gateway waited max_frame_time for the rest of a frame.</summary>
    SlowFrame,

    /// <summary>The peer said that nothing more comes, and did not take its acknowledgements within max_unread_time.</summary>
    AcksUnread,

    /// <summary>Nothing says where the next frame begins.</summary>
    BadLength,

    /// <summary>Bytes within TLS are no TLS.</summary>
    TlsBroken,
    Draining,
    LogFailed,

    /// <summary>The gateway's own.</summary>
    Fault,

    // Refused: not one byte of the stream was read.
    LeftEarly,
    TooManyConnections,
    TooManyConnectionsFromIp,
    NotAllowed,
    ProxyNotAllowed,
    ProxyHeaderMissing,
    ProxyHeaderInvalid,
    ProxyHeaderTimeout,
    TlsFailed,
    TlsTimeout,
    ClientCertificateMissing,
    ClientCertificateRefused,
    ClientCertificateUnnamed,

    /// <summary>The stream's document is gone.</summary>
    StreamWithdrawn,
}

static class CloseReasons
{
    public static readonly IReadOnlyList<CloseReason> All = Enum.GetValues<CloseReason>();

    static readonly string[] Texts = [.. All.Select(r => JsonNamingPolicy.SnakeCaseLower.ConvertName(r.ToString()))];

    public static string Text(this CloseReason reason) => Texts[(int)reason];

    public static bool IsRefusal(this CloseReason reason) => reason >= CloseReason.LeftEarly;

    /// <summary>Nobody needs to read about these.</summary>
    public static bool IsOrdinary(this CloseReason reason) => reason is CloseReason.Finished or CloseReason.Draining or CloseReason.LeftEarly or CloseReason.LogFailed or CloseReason.Fault;
}
