using System.Text;
using LeanPipe.Contracts;
using LeanPipe.Gateway.Framing;

namespace LeanPipe.Unit.Gateway;

public sealed class FrameCutterTests
{
    const int MaxFrame = 200;

    public static TheoryData<string, FramingDefinition, byte[]> Heads => new()
    {
        { "1 byte", new LengthPrefixFramingDefinition(1), [3] },
        { "1 byte, itself counted", new LengthPrefixFramingDefinition(1, IncludesHeader: true), [4] },
        { "2 bytes big endian", new LengthPrefixFramingDefinition(2), [0, 3] },
        { "2 bytes little endian", new LengthPrefixFramingDefinition(2, BigEndian: false), [3, 0] },
        { "4 bytes big endian, itself counted", new LengthPrefixFramingDefinition(4, IncludesHeader: true), [0, 0, 0, 7] },
        { "4 bytes little endian", new LengthPrefixFramingDefinition(4, BigEndian: false), [3, 0, 0, 0] },
        { "varint", new VarintFramingDefinition(), [3] },
        { "overlong varint", new VarintFramingDefinition(), [0x83, 0x80, 0] },
        { "octets", new OctetCountingFramingDefinition(), "3 "u8.ToArray() },
        { "fixed", new FixedFramingDefinition(3), [] },
    };

    [Theory, MemberData(nameof(Heads))]
    public void A_head_says_how_long_the_frame_behind_it_is(string name, FramingDefinition framing, byte[] head)
    {
        var cutter = new FrameCutter(framing, MaxFrame);
        byte[] wire = [.. head, .. "abcrest"u8];
        cutter.TryRead(wire, 0, out var found).ShouldBe(FrameFault.None, name);
        found.ShouldBe(new(head.Length, 3, head.Length + 3, 3));
        for (var cut = 0; cut < head.Length + 3; cut++) cutter.TryRead(wire.AsSpan(0, cut), 0, out _).ShouldBe(FrameFault.Incomplete, $"{name} cut at {cut}");
    }

    public static TheoryData<string, FramingDefinition, byte[], long> Oversized => new()
    {
        { "1 byte", new LengthPrefixFramingDefinition(1), [201], 201 },
        { "2 bytes", new LengthPrefixFramingDefinition(2), [0, 201], 201 },
        { "4 bytes", new LengthPrefixFramingDefinition(4), [255, 255, 255, 255], uint.MaxValue },
        { "varint", new VarintFramingDefinition(), [0xFF, 0xFF, 0xFF, 0xFF, 0x0F], uint.MaxValue },
        { "octets", new OctetCountingFramingDefinition(), "4294967295 "u8.ToArray(), uint.MaxValue },
    };

    [Theory, MemberData(nameof(Oversized))]
    public void An_announced_frame_above_the_limit_is_known_from_its_head_alone(string name, FramingDefinition framing, byte[] head, long announced)
    {
        new FrameCutter(framing, MaxFrame).TryRead(head, 0, out var found).ShouldBe(FrameFault.TooLarge, name);
        found.ShouldBe(new(head.Length, 0, 0, announced));
    }

    public static TheoryData<string, FramingDefinition, byte[]> Bad => new()
    {
        { "a length that does not hold itself", new LengthPrefixFramingDefinition(2, IncludesHeader: true), [0, 1] },
        { "a varint of six bytes", new VarintFramingDefinition(), [0x80, 0x80, 0x80, 0x80, 0x80] },
        { "a varint beyond 32 bits", new VarintFramingDefinition(), [0xFF, 0xFF, 0xFF, 0xFF, 0x1F] },
        { "no digit", new OctetCountingFramingDefinition(), "<34>1"u8.ToArray() },
        { "a space first", new OctetCountingFramingDefinition(), " 5"u8.ToArray() },
        { "a leading zero", new OctetCountingFramingDefinition(), "05 "u8.ToArray() },
        { "eleven digits", new OctetCountingFramingDefinition(), "12345678901"u8.ToArray() },
        { "beyond 32 bits", new OctetCountingFramingDefinition(), "9999999999 "u8.ToArray() },
        { "a letter behind the digits", new OctetCountingFramingDefinition(), "12a"u8.ToArray() },
    };

    [Theory, MemberData(nameof(Bad))]
    public void What_is_no_length_is_a_fault(string name, FramingDefinition framing, byte[] head) =>
        new FrameCutter(framing, MaxFrame).TryRead(head, 0, out _).ShouldBe(FrameFault.BadLength, name);

    [Theory]
    [InlineData("abc|rest", FrameFault.None, 3, 4)]
    [InlineData("abc\r|", FrameFault.None, 4, 5)]
    [InlineData("|", FrameFault.None, 0, 1)]
    [InlineData("12345", FrameFault.Incomplete, 5, 0)]
    [InlineData("123456", FrameFault.TooLarge, 6, 0)]
    [InlineData("123456|", FrameFault.TooLarge, 6, 7)]
    public void A_delimiter_is_one_byte_and_takes_nothing_with_it(string text, object fault, int length, int consumed)
    {
        new FrameCutter(new DelimiterFramingDefinition((byte)'|'), 5).TryRead(Encoding.UTF8.GetBytes(text), 0, out var found).ShouldBe((FrameFault)fault);
        found.ShouldBe(new(0, length, consumed, FoundFrame.Unknown));
    }

    [Fact]
    public void Skipping_ends_behind_the_next_delimiter()
    {
        var cutter = new FrameCutter(new NewlineFramingDefinition(), MaxFrame);
        cutter.TrySkip("xxx\nrest"u8, FoundFrame.Unknown, out var skipped, out var payload).ShouldBeTrue();
        (skipped, payload).ShouldBe((4, 3));
        cutter.TrySkip("xxx"u8, FoundFrame.Unknown, out skipped, out payload).ShouldBeFalse();
        (skipped, payload).ShouldBe((3, 3));
    }

    [Fact]
    public void Skipping_ends_where_the_head_said()
    {
        var cutter = new FrameCutter(new VarintFramingDefinition(), MaxFrame);
        cutter.TrySkip("xxxrest"u8, 3, out var skipped, out var payload).ShouldBeTrue();
        (skipped, payload).ShouldBe((3, 3));
        cutter.TrySkip("xx"u8, 3, out skipped, out payload).ShouldBeFalse();
        (skipped, payload).ShouldBe((2, 2));
    }

    [Fact]
    public void A_fixed_size_above_the_limit_is_refused_when_the_stream_is_opened() =>
        Should.Throw<LeanPipeException>(() => new FrameCutter(new FixedFramingDefinition(MaxFrame + 1), MaxFrame)).Code.ShouldBe("gateway.bad_framing");
}
