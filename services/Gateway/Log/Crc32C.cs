using System.Buffers.Binary;
using System.Numerics;

namespace LeanPipe.Gateway.Log;

/// <summary>CRC-32C (Castagnoli, RFC 3720 appendix B.4), eight bytes to an instruction where the processor has it.</summary>
static class Crc32C
{
    /// <summary>What <see cref="Append"/> begins with, for bytes that come in pieces; the CRC is the complement of what it ends with.</summary>
    public const uint Begin = uint.MaxValue;

    public static uint Compute(ReadOnlySpan<byte> bytes) => ~Append(Begin, bytes);

    public static uint Append(uint crc, ReadOnlySpan<byte> bytes)
    {
        for (; bytes.Length >= 8; bytes = bytes[8..]) crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        foreach (var b in bytes) crc = BitOperations.Crc32C(crc, b);
        return crc;
    }
}
