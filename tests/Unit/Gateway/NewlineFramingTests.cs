using System.Text;
using LeanPipe.Gateway.Framing;

namespace LeanPipe.Unit.Gateway;

public sealed class NewlineFramingTests
{
    [Theory]
    [InlineData("abc\nrest", 3, 4)]
    [InlineData("abc\r\nrest", 3, 5)]
    [InlineData("\n", 0, 1)]
    [InlineData("\r\n", 0, 2)]
    [InlineData("a\rb\n", 3, 4)]
    public void A_frame_ends_at_LF_or_CR_LF(string text, int length, int consumed)
    {
        NewlineFraming.TryRead(Encoding.UTF8.GetBytes(text), 100, 0, out var foundLength, out var foundConsumed).ShouldBe(FrameFault.None);
        (foundLength, foundConsumed).ShouldBe((length, consumed));
    }

    [Fact]
    public void What_was_scanned_is_not_scanned_again()
    {
        NewlineFraming.TryRead("ab\ncd\n"u8, 100, 3, out var length, out var consumed).ShouldBe(FrameFault.None);
        (length, consumed).ShouldBe((5, 6));
    }

    [Theory]
    [InlineData("12345\n", FrameFault.None)]
    [InlineData("12345\r\n", FrameFault.None)]
    [InlineData("12345\r", FrameFault.Incomplete)]
    [InlineData("12345", FrameFault.Incomplete)]
    [InlineData("123456", FrameFault.TooLarge)]
    [InlineData("12345\r\r", FrameFault.TooLarge)]
    [InlineData("123456\n", FrameFault.TooLarge)]
    public void The_limit_counts_the_frame_without_its_delimiter(string text, object fault) =>
        NewlineFraming.TryRead(Encoding.UTF8.GetBytes(text), 5, 0, out _, out _).ShouldBe((FrameFault)fault);
}
