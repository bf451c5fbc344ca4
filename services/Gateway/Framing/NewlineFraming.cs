namespace LeanPipe.Gateway.Framing;

/// <summary>Frames that end with LF or CR LF. The delimiter is no part of the frame; an empty frame is nothing but a delimiter.</summary>
static class NewlineFraming
{
    const byte Lf = (byte)'\n';
    const byte Cr = (byte)'\r';

    /// <summary>Reads the frame at the beginning of <paramref name="buffer"/>.</summary>
    /// <param name="scanned">Bytes at the beginning that an earlier call has found no delimiter in, so that a slow sender costs no second look.</param>
    /// <param name="length">Bytes of the frame without its delimiter; with <see cref="FrameFault.TooLarge"/> the bytes that are known to belong to it.</param>
    /// <param name="consumed">Bytes to the end of the delimiter; 0 when the delimiter is not in the buffer.</param>
    public static FrameFault TryRead(ReadOnlySpan<byte> buffer, int maxFrameBytes, int scanned, out int length, out int consumed)
    {
        var end = buffer[scanned..].IndexOf(Lf);
        if (end >= 0) end += scanned;
        else
        {
            // One more than the limit may be the CR of a frame that fits.
            length = buffer.Length;
            consumed = 0;
            var surplus = buffer.Length - maxFrameBytes;
            return surplus > 1 || (surplus == 1 && buffer[^1] != Cr) ? FrameFault.TooLarge : FrameFault.Incomplete;
        }

        consumed = end + 1;
        length = end > 0 && buffer[end - 1] == Cr ? end - 1 : end;
        return length > maxFrameBytes ? FrameFault.TooLarge : FrameFault.None;
    }
}
