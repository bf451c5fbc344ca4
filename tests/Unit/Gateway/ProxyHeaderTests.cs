using System.Buffers.Binary;
using System.Net;
using LeanPipe.Gateway.Log;
using LeanPipe.Gateway.Network;

namespace LeanPipe.Unit.Gateway;

public sealed class ProxyHeaderTests
{
    /// <summary>192.0.2.7:54321 to 198.51.100.1:7001 over TCP, as haproxy 2 writes it.</summary>
    const string Tcp4 = "0D0A0D0A000D0A515549540A" + "21" + "11" + "000C" + "C0000207" + "C6336401" + "D431" + "1B59";

    const string Tcp6 = "0D0A0D0A000D0A515549540A" + "21" + "21" + "0024" + "20010DB8000000000000000000000007" + "20010DB8000000000000000000000001" + "D431" + "1B59";

    [Theory]
    [InlineData(Tcp4, "192.0.2.7:54321")]
    [InlineData(Tcp6, "[2001:db8::7]:54321")]
    [InlineData("0D0A0D0A000D0A515549540A" + "20" + "00" + "0000", null)]
    [InlineData("0D0A0D0A000D0A515549540A" + "20" + "11" + "000C" + "C0000207C6336401D4311B59", null)]
    [InlineData("0D0A0D0A000D0A515549540A" + "21" + "00" + "0003" + "010203", null)]
    public void The_address_of_the_peer_is_read_wherever_the_bytes_are_cut(string hex, string? address)
    {
        var header = Convert.FromHexString(hex);
        byte[] bytes = [.. header, .. "{}\n"u8];
        for (var length = 0; length < header.Length; length++) ProxyHeader.TryRead(bytes.AsSpan(0, length), out _, out _).ShouldBe(ProxyFault.Incomplete, $"{length} bytes");
        for (var length = header.Length; length <= bytes.Length; length++)
        {
            ProxyHeader.TryRead(bytes.AsSpan(0, length), out var consumed, out var peer).ShouldBe(ProxyFault.None);
            consumed.ShouldBe(header.Length);
            peer.ShouldBe(address is null ? null : IPEndPoint.Parse(address));
        }
    }

    [Theory]
    [InlineData("{\"seq\":1}\n", nameof(ProxyFault.Missing))]
    [InlineData("PROXY TCP4 192.0.2.7 198.51.100.1 54321 7001\r\n", nameof(ProxyFault.Missing))]
    [InlineData("\r\n\r\n\0\r\nQUIX", nameof(ProxyFault.Missing))]
    public void Other_bytes_are_no_header(string text, string fault) =>
        ProxyHeader.TryRead(System.Text.Encoding.ASCII.GetBytes(text), out _, out _).ToString().ShouldBe(fault);

    [Theory]
    [InlineData("11", "11", "000C")]
    [InlineData("22", "11", "000C")]
    [InlineData("21", "13", "000C")]
    [InlineData("21", "41", "000C")]
    [InlineData("21", "11", "000B")]
    [InlineData("21", "21", "000C")]
    [InlineData("21", "11", "000E")]
    [InlineData("21", "11", "FFFF")]
    public void A_header_that_contradicts_itself_is_invalid(string command, string family, string length)
    {
        var bytes = Convert.FromHexString("0D0A0D0A000D0A515549540A" + command + family + length + "C0000207C6336401D4311B590000");
        ProxyHeader.TryRead(bytes, out _, out _).ShouldBe(ProxyFault.Invalid);
    }

    [Fact]
    public void A_wrong_checksum_is_found_at_every_bit()
    {
        var header = Convert.FromHexString("0D0A0D0A000D0A515549540A" + "21" + "11" + "0013" + "C0000207C6336401D4311B59" + "030004" + "00000000");
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(^4), Crc32C.Compute(header));
        ProxyHeader.TryRead(header, out _, out var peer).ShouldBe(ProxyFault.None);
        peer!.ToString().ShouldBe("192.0.2.7:54321");
        for (var bit = 0; bit < header.Length * 8; bit++)
        {
            var flipped = header.ToArray();
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));

            // Families without addresses and TLVs of other types are no contradiction; nobody's address comes of them.
            var fault = ProxyHeader.TryRead(flipped, out _, out var other);
            if (fault == ProxyFault.None && other is not null) (bit / 8).ShouldBe(28, "only the type of the checksum itself can hide it");
        }
    }
}
