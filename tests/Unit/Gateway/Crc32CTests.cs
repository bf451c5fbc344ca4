using LeanPipe.Gateway.Log;

namespace LeanPipe.Unit.Gateway;

public sealed class Crc32CTests
{
    /// <summary>RFC 3720, appendix B.4.</summary>
    [Fact]
    public void The_examples_of_the_standard_come_out()
    {
        Crc32C.Compute(new byte[32]).ShouldBe(0x8A9136AAu);
        Crc32C.Compute(Enumerable.Repeat((byte)0xFF, 32).ToArray()).ShouldBe(0x62A8AB43u);
        Crc32C.Compute(Enumerable.Range(0, 32).Select(i => (byte)i).ToArray()).ShouldBe(0x46DD794Eu);
    }

    [Fact]
    public void In_lanes_it_is_what_it_is_byte_for_byte()
    {
        var bytes = new byte[10_000];
        new Random(3720).NextBytes(bytes);
        foreach (var length in new[] { 0, 7, 8, 1024, 3071, 3072, 3073, 3080, 6143, 6144, 6145, 9999, 10_000 })
        {
            var crc = Crc32C.Begin;
            for (var i = 0; i < length; i++) crc = Crc32C.Append(crc, bytes.AsSpan(i, 1));
            Crc32C.Compute(bytes.AsSpan(0, length)).ShouldBe(~crc, $"of {length} bytes");

            // In two pieces, as recovery reads it.
            Crc32C.Append(Crc32C.Append(Crc32C.Begin, bytes.AsSpan(0, length / 3)), bytes.AsSpan(length / 3, length - length / 3)).ShouldBe(crc, $"of {length} bytes in two pieces");
        }
    }
}
