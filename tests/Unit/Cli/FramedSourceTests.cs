using System.Text;
using LeanPipe.Cli.Sending;
using LeanPipe.Contracts;
using LeanPipe.Gateway.Framing;

namespace LeanPipe.Unit.Cli;

/// <summary>What `leanpipe send` writes, the gateway's framing reads.</summary>
public sealed class FramedSourceTests
{
    public static TheoryData<FramingDefinition> Framings => [
        new NewlineFramingDefinition(), new DelimiterFramingDefinition(0), new LengthPrefixFramingDefinition(1), new LengthPrefixFramingDefinition(2, BigEndian: false),
        new LengthPrefixFramingDefinition(4, IncludesHeader: true), new VarintFramingDefinition(), new OctetCountingFramingDefinition()];

    [Theory, MemberData(nameof(Framings))]
    public async Task Every_line_is_a_frame_of_the_framing(FramingDefinition framing)
    {
        string[] texts = ["{\"n\":1}", new('x', 200), "ü"];
        using var lines = new LineSource(new MemoryStream(Encoding.UTF8.GetBytes(string.Join("\r\n", texts))));
        var source = FramedSource.Of(lines, framing);
        var cutter = new FrameCutter(framing, 1000);
        foreach (var text in texts)
        {
            var wire = (await source.NextAsync(default)).ShouldNotBeNull().ToArray();
            cutter.TryRead(wire, 0, out var found).ShouldBe(FrameFault.None);
            found.Consumed.ShouldBe(wire.Length);
            Encoding.UTF8.GetString(wire.AsSpan(found.Start, found.Length)).ShouldBe(text);
        }
        (await source.NextAsync(default)).ShouldBeNull();
    }

    [Fact]
    public async Task A_fixed_frame_is_padded_and_a_line_that_does_not_fit_is_refused()
    {
        using var lines = new LineSource(new MemoryStream("ab\nabcde\n"u8.ToArray()));
        var source = FramedSource.Of(lines, new FixedFramingDefinition(4));
        Encoding.UTF8.GetString((await source.NextAsync(default)).ShouldNotBeNull().Span).ShouldBe("ab  ");
        (await Should.ThrowAsync<LeanPipeException>(async () => await source.NextAsync(default))).Code.ShouldBe("cli.cannot_frame");
    }
}
