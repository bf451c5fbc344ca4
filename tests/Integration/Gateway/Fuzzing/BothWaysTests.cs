using System.Text.Json;
using LeanPipe.Contracts;
using LeanPipe.Gateway.Replay;

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

    public static TheoryData<string> Decoders => [.. FormatCases.Decoders.Select(d => d.Name)];

    [Theory, MemberData(nameof(Decoders))]
    public async Task The_version_that_has_made_a_record_takes_it_again_as_it_is(string decoder)
    {
        var decoded = FormatCases.Decoders.Single(d => d.Name == decoder);
        var stream = FormatCases.Of(decoded, FormatCases.Framings.First(f => f.Name == "4 itself counted"));
        var random = new Random(decoder.Length);
        var (lines, _) = await TakeAsync(stream, [.. Enumerable.Range(0, 300).SelectMany(_ => FormatCases.Framings.First(f => f.Name == "4 itself counted").Wrap(decoded.Frame(random)))], 1 << 20);
        var records = string.Concat(lines.Where(l => l.Key.StartsWith("False", StringComparison.Ordinal)).Select(l => l.Value));
        records.ShouldNotBeEmpty();
        var remade = new Remade();
        new RecordReplay(stream, TimeProvider.System).Judge(System.Text.Encoding.UTF8.GetBytes(records), remade);
        remade.Rejected.ShouldBeEmpty();
        string.Concat(remade.Windows.Values.Select(w => System.Text.Encoding.UTF8.GetString(w.Bytes.WrittenSpan))).ShouldBe(records);
    }

    static byte[] Half(byte[] frame) => frame[..((frame.Length + 1) / 2)];

    static async Task<(SortedDictionary<string, string> Lines, string Ledger)> TakeAsync(StreamDefinition stream, byte[] wire, int piece)
    {
        using var bench = new FormatBench(stream, new ManualTime(new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero)));
        await bench.SendAsync(wire, _ => piece);
        await bench.CheckAsync($"{stream.Validation}");
        // What says that frames are kept is all that differs.
        var lines = new SortedDictionary<string, string>(bench.Lines().ToDictionary(l => l.Key, l => l.Value.Replace(",\"frame_kept\":true", "", StringComparison.Ordinal)), StringComparer.Ordinal);
        return (lines, JsonSerializer.Serialize(bench.Ledger with { Kept = null }, ContractsJson.Default.Ledger));
    }
}
