using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace LeanPipe.Gateway.Log;

/// <summary>CRC-32C (Castagnoli, RFC 3720 appendix B.4), eight bytes to an instruction where the processor has it.</summary>
/// <remarks>
/// An instruction waits for the one before it and takes three times as long as until the next could begin. So long inputs are taken in three lanes side by side, whose sums are joined: a CRC is linear, and what zeros behind
/// a lane do to its sum stands in a table.
/// </remarks>
static class Crc32C
{
    /// <summary>What <see cref="Append"/> begins with, for bytes that come in pieces; the CRC is the complement of what it ends with.</summary>
    public const uint Begin = uint.MaxValue;

    const int LaneBytes = 1024;

    /// <summary>What a lane of zeros makes of a sum, by each of its four bytes.</summary>
    static readonly uint[] PastLane = MakePastLane();

    public static uint Compute(ReadOnlySpan<byte> bytes) => ~Append(Begin, bytes);

    public static uint Append(uint crc, ReadOnlySpan<byte> bytes)
    {
        for (; bytes.Length >= 3 * LaneBytes; bytes = bytes[(3 * LaneBytes)..])
        {
            ref var at = ref MemoryMarshal.GetReference(bytes);
            var (second, third) = (0u, 0u);
            for (var i = 0; i < LaneBytes; i += 8)
            {
                crc = BitOperations.Crc32C(crc, Word(ref Unsafe.Add(ref at, i)));
                second = BitOperations.Crc32C(second, Word(ref Unsafe.Add(ref at, i + LaneBytes)));
                third = BitOperations.Crc32C(third, Word(ref Unsafe.Add(ref at, i + 2 * LaneBytes)));
            }
            crc = Past(Past(crc) ^ second) ^ third;
        }
        for (; bytes.Length >= 8; bytes = bytes[8..]) crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        foreach (var b in bytes) crc = BitOperations.Crc32C(crc, b);
        return crc;
    }

    static uint Past(uint crc)
    {
        var table = PastLane;
        return table[(byte)crc] ^ table[256 + (byte)(crc >> 8)] ^ table[512 + (byte)(crc >> 16)] ^ table[768 + (byte)(crc >> 24)];
    }

    static uint[] MakePastLane()
    {
        var table = new uint[4 * 256];
        for (var i = 0; i < table.Length; i++)
        {
            var crc = (uint)(i & 0xFF) << (8 * (i >> 8));
            for (var zeros = 0; zeros < LaneBytes; zeros += 8) crc = BitOperations.Crc32C(crc, 0UL);
            table[i] = crc;
        }
        return table;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static ulong Word(ref byte at) => BitConverter.IsLittleEndian ? Unsafe.ReadUnaligned<ulong>(ref at) : BinaryPrimitives.ReverseEndianness(Unsafe.ReadUnaligned<ulong>(ref at));
}
