using System.Runtime.InteropServices;

namespace LeanPipe.Gateway.Framing;

/// <summary>A frame at the beginning of a buffer.</summary>
/// <param name="Start">Bytes of the head before it.</param>
/// <param name="Length">Bytes of the frame itself; with <see cref="FrameFault.TooLarge"/> those that are in the buffer for sure.</param>
/// <param name="Consumed">Bytes on the wire, head and delimiter included; 0 when the frame's end is not in the buffer.</param>
/// <param name="Announced">Bytes of the frame as its head announces them; <see cref="Unknown"/> when only a delimiter ends it.</param>
[StructLayout(LayoutKind.Auto)]
readonly record struct FoundFrame(int Start, int Length, int Consumed, long Announced)
{
    public const long Unknown = -1;
}
