namespace LeanPipe.Gateway;

/// <summary>How much the gateway takes in hand at a time. None of it changes what is done; smaller ones make what is rare the common case, which is what tests want.</summary>
sealed record BufferSizes
{
    /// <summary>A connection's bytes are framed in portions of so many; a longer frame gets more while it lasts.</summary>
    public int PortionBytes { get; init; } = 64 * 1024;

    /// <summary>A socket is read into blocks of so many.</summary>
    public int SocketBlockBytes { get; init; } = 64 * 1024;

    /// <summary>A batch of the log has so much room before it grows.</summary>
    public int BatchBytes { get; init; } = 64 * 1024;

    /// <summary>Lines that lie near each other in the log are read for a segment at once.</summary>
    public int StretchBytes { get; init; } = 256 * 1024;

    /// <summary>Lines from so many bytes on go straight to the reader's buffer.</summary>
    public int LongLineBytes { get; init; } = 16 * 1024;

    public int HashedAtOnceBytes { get; init; } = 128 * 1024;

    /// <summary>Cuts that are uploaded at the same time are together no larger, unless a single one is: a slow line must carry each within a request's time.</summary>
    public long UploadGroupBytes { get; init; } = 32L * 1024 * 1024;

    public int UploadGroupCuts { get; init; } = 8;

    /// <summary>Kept frames of a stream are validated in steps of so many bytes.</summary>
    public long ValidationStepBytes { get; init; } = 1024 * 1024;

    /// <summary>The log is looked through in chunks of so many when it is read back.</summary>
    public int RecoveryChunkBytes { get; init; } = 256 * 1024;
}
