using System.Buffers.Binary;
using System.Numerics;

namespace LeanPipe.Gateway.Log;

/// <summary>CRC-32C (Castagnoli, RFC 3720 appendix B.4), eight bytes to an instruction where the processor has it.</summary>
static class Crc32C
{
    public static uint Compute(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        for (; bytes.Length >= 8; bytes = bytes[8..]) crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        foreach (var b in bytes) crc = BitOperations.Crc32C(crc, b);
        return ~crc;
    }
}
