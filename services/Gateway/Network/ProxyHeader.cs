using System.Buffers.Binary;
using System.Net;
using LeanPipe.Gateway.Log;

namespace LeanPipe.Gateway.Network;

/// <summary>What stands where a PROXY header is expected. A value, for a peer causes it.</summary>
enum ProxyFault
{
    None,

    /// <summary>Not the peer's fault: read more.</summary>
    Incomplete,

    /// <summary>The bytes are no PROXY header of version 2.</summary>
    Missing,

    /// <summary>A header that contradicts itself, or is longer than the limit.</summary>
    Invalid,
}

/// <summary>The binary header of the PROXY protocol, version 2 (haproxy's proxy-protocol.txt, section 2.2).</summary>
/// <remarks>
/// 0 signature 12 bytes · 12 version 0x2 and command (4 bits each) · 13 family and transport (4 bits each) · 14 length of the rest u16, big-endian · 16 addresses, then TLVs (type u8, length u16, value).
/// </remarks>
static class ProxyHeader
{
    /// <summary>The addresses take 216 bytes at most; the rest is room for TLVs.</summary>
    public const int MaxBytes = 4096;

    const int HeadBytes = 16;
    const byte Crc32CType = 0x03;

    static ReadOnlySpan<byte> Signature => "\r\n\r\n\0\r\nQUIT\n"u8;

    /// <param name="peer">The address that the header gives; null when it gives none (LOCAL, UNSPEC, a Unix socket), and then the socket's counts.</param>
    public static ProxyFault TryRead(ReadOnlySpan<byte> bytes, out int consumed, out IPEndPoint? peer)
    {
        (consumed, peer) = (0, null);
        var known = Math.Min(bytes.Length, Signature.Length);
        if (!bytes[..known].SequenceEqual(Signature[..known])) return ProxyFault.Missing;
        if (bytes.Length < HeadBytes) return ProxyFault.Incomplete;

        var (version, command) = (bytes[12] >> 4, bytes[12] & 0xF);
        var length = BinaryPrimitives.ReadUInt16BigEndian(bytes[14..]);
        if (version != 2 || command > 1 || HeadBytes + length > MaxBytes) return ProxyFault.Invalid;
        if (bytes.Length < HeadBytes + length) return ProxyFault.Incomplete;

        var header = bytes[..(HeadBytes + length)];
        if (!TryReadAddress(header[13], header[HeadBytes..], out var addressBytes, out var address) || !TlvsHold(header, HeadBytes + addressBytes)) return ProxyFault.Invalid;
        consumed = header.Length;
        peer = command == 1 ? address : null;
        return ProxyFault.None;
    }

    static bool TryReadAddress(byte family, ReadOnlySpan<byte> rest, out int length, out IPEndPoint? address)
    {
        (length, address) = (0, null);
        if ((family & 0xF) > 2) return false;
        switch (family >> 4)
        {
            case 0:
                // What an unspecified family carries is nobody's business, TLVs included.
                length = rest.Length;
                return true;
            case 1 when rest.Length >= 12:
                length = 12;
                address = new(new IPAddress(rest[..4]), BinaryPrimitives.ReadUInt16BigEndian(rest[8..]));
                return true;
            case 2 when rest.Length >= 36:
                length = 36;
                address = new(new IPAddress(rest[..16]), BinaryPrimitives.ReadUInt16BigEndian(rest[32..]));
                return true;
            case 3 when rest.Length >= 216:
                length = 216;
                return true;
            default:
                return false;
        }
    }

    /// <summary>Whether the TLVs fill the header exactly, and its checksum is right when it has one.</summary>
    static bool TlvsHold(ReadOnlySpan<byte> header, int at)
    {
        while (at < header.Length)
        {
            if (header.Length - at < 3) return false;
            var length = BinaryPrimitives.ReadUInt16BigEndian(header[(at + 1)..]);
            if (header.Length - at - 3 < length) return false;
            if (header[at] == Crc32CType && !ChecksumHolds(header, at + 3, length)) return false;
            at += 3 + length;
        }
        return true;
    }

    static bool ChecksumHolds(ReadOnlySpan<byte> header, int at, int length)
    {
        if (length != 4) return false;
        Span<byte> copy = stackalloc byte[MaxBytes];
        header.CopyTo(copy);
        copy.Slice(at, 4).Clear();
        return Crc32C.Compute(copy[..header.Length]) == BinaryPrimitives.ReadUInt32BigEndian(header[at..]);
    }
}
