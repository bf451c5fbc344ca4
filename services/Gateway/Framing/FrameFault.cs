namespace LeanPipe.Gateway.Framing;

/// <summary>What the framing found at the beginning of a buffer. A value, for a peer causes it.</summary>
enum FrameFault
{
    None,

    /// <summary>Not the peer's fault: read more.</summary>
    Incomplete,

    /// <summary>The frame is longer than the limit, whether or not its end is in the buffer.</summary>
    TooLarge,

    /// <summary>What stands where a length belongs is none, so nothing says where the next frame begins.</summary>
    BadLength,
}
