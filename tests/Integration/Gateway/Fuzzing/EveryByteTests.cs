namespace LeanPipe.Integration.Gateway.Fuzzing;

/// <summary>Every framing with every decoder, the wire cut at each of its bytes, and read a byte at a time.</summary>
public sealed class EveryByteTests
{
    const int Frames = 6;

    public static TheoryData<string, string> Cases
    {
        get
        {
            var cases = new TheoryData<string, string>();
            foreach (var framing in FormatCases.Framings)
                foreach (var decoder in FormatCases.Decoders) cases.Add(framing.Name, decoder.Name);
            return cases;
        }
    }

    [Theory, MemberData(nameof(Cases))]
    public async Task Wherever_the_wire_is_cut_the_ledger_is_the_same(string framing, string decoder)
    {
        var (framed, decoded) = (FormatCases.Framings.Single(f => f.Name == framing), FormatCases.Decoders.Single(d => d.Name == decoder));
        var stream = FormatCases.Of(decoded, framed);
        var random = new Random(framing.Length * 31 + decoder.Length);
        var frames = Enumerable.Range(0, Frames).Select(_ => decoded.Frame(random)).Append(new byte[FormatCases.MaxFrame + 5].Select(_ => (byte)'x').ToArray()).Append(decoded.Frame(random));
        var wire = frames.SelectMany(framed.Wrap).ToArray()[..^1];

        var time = new ManualTime(new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero));
        using var whole = new FormatBench(stream, time);
        await whole.SendAsync(wire, _ => wire.Length);
        await whole.CheckAsync("whole");
        var expected = whole.Ledger;

        using var cut = new FormatBench(stream, time);
        for (var at = 1; at < wire.Length; at++)
        {
            var first = at;
            (await cut.SendAsync(wire, end => end == 0 ? first : wire.Length)).ShouldBe(expected.Frames, $"cut at {at}");
        }
        (await cut.SendAsync(wire, _ => 1)).ShouldBe(expected.Frames, "a byte at a time");
        await cut.CheckAsync("cut");
        var found = cut.Ledger;
        var times = wire.Length;
        (found.Records, found.BytesFramed, found.BytesRejected, found.BytesPartial).ShouldBe(
            (expected.Records * times, expected.BytesFramed * times, expected.BytesRejected * times, expected.BytesPartial * times));
        found.Rejects.ShouldBe(expected.Rejects.ToDictionary(r => r.Key, r => r.Value * times), ignoreOrder: true);
    }
}
