using System.Text.Json;
using LeanPipe.Contracts;

namespace LeanPipe.Integration.Gateway.Fuzzing;

/// <summary>Every framing with every decoder: what validating after writing gives is, byte for byte, what validating before gives.</summary>
public sealed class BothWaysTests
{
    [Theory, MemberData(nameof(EveryByteTests.Cases), MemberType = typeof(EveryByteTests))]
    public async Task The_same_wire_gives_the_same_lines_and_the_same_ledger(string framing, string decoder)
    {
        var (framed, decoded) = (FormatCases.Framings.Single(f => f.Name == framing), FormatCases.Decoders.Single(d => d.Name == decoder));
        var random = new Random(framing.Length * 37 + decoder.Length);
        var frames = Enumerable.Range(0, 60).Select(i => i % 4 == 3 ? Half(decoded.Frame(random)) : decoded.Frame(random)).ToList();
        frames.Insert(30, [.. Enumerable.Repeat((byte)'x', FormatCases.MaxFrame + 5)]);
        var wire = frames.SelectMany(framed.Wrap).ToArray()[..^1];

        foreach (var piece in (int[])[wire.Length, 50, 1])
        {
            var (beforeLines, beforeLedger) = await TakeAsync(FormatCases.Of(decoded, framed), wire, piece);
            var (afterLines, afterLedger) = await TakeAsync(FormatCases.Of(decoded, framed) with { Validation = ValidationMode.After }, wire, piece);
            afterLines.ShouldBe(beforeLines, $"pieces of {piece}");
            afterLedger.ShouldBe(beforeLedger, $"pieces of {piece}");
        }
    }

    static byte[] Half(byte[] frame) => frame[..((frame.Length + 1) / 2)];

    static async Task<(SortedDictionary<string, string> Lines, string Ledger)> TakeAsync(StreamDefinition stream, byte[] wire, int piece)
    {
        using var bench = new FormatBench(stream, new ManualTime(new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero)));
        await bench.SendAsync(wire, _ => piece);
        await bench.CheckAsync($"{stream.Validation}");
        return (bench.Lines(), JsonSerializer.Serialize(bench.Ledger, ContractsJson.Default.Ledger));
    }
}
