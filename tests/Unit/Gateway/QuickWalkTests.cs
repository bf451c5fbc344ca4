using System.Text;
using LeanPipe.Contracts;
using LeanPipe.Gateway.Validation;

namespace LeanPipe.Unit.Gateway;

/// <summary>The quick walk against the strict validator; LEANPIPE_TEST_LINES says over how many mutated lines.</summary>
public sealed class QuickWalkTests
{
    static readonly int Lines = int.Parse(Environment.GetEnvironmentVariable("LEANPIPE_TEST_LINES") ?? "300000");

    static readonly RecordType Flat = new([
        new("id", new Int64Type(1, 999_999)), new("seq", new Int64Type()), new("kind", new EnumType(["Temperature", "Hum", "Grün"])), new("value", new UnionType([new Float64Type(), new StringType()])),
        new("t", new TimestampType(TimestampUnit.Milliseconds)), new("site", new StringType(0, 12), Required: false, Nullable: true), new("unit", new StringType(), Required: false, Default: "\"C\"", Aliases: ["u"])]);

    static readonly RecordType Wide = new([
        new("t", new TimestampType()), new("at", new TimestampType(TimestampUnit.Seconds)), new("ns", new TimestampType(TimestampUnit.Nanoseconds), Required: false), new("f", new Float64Type(-40, 85.5)),
        new("d", new DecimalType(6, 2)), new("ok", new BoolType()), new("a_long_name_of_a_field", new StringType(2, 4)), new("in", new RecordType([new("x", new Float64Type()), new("y", new Int64Type(), Required: false)])),
        new("list", new ListType(new Int64Type()), Required: false), new("code", new StringType(Pattern: "^[A-Z]+$"), Required: false), new("more", new StringType(), Nullable: true)], ExtraFields.Ignore);

    static readonly string[] FlatLines =
    [
        """{"id":17,"seq":1234567890,"kind":"Temperature","value":21.25,"t":1767261600123,"site":"plant-07","unit":"C"}""",
        """{"id":1,"seq":-5,"kind":"Hum","value":"open","t":0,"unit":""}""",
        """{"seq":9,"id":999999,"t":-1000,"value":-0.5,"kind":"Grün","site":null,"unit":"°C"}""",
        """{"id": 2, "seq": 123456789012345678, "kind": "Hum", "value": 1e5, "t": 253402300799999, "site": "Köln"}""",
        """{"id":3,"seq":9223372036854775807,"kind":"Hum","value":0.30000000000000004,"t":253402300800000,"site":"","u":"K"}""",
    ];

    static readonly string[] WideLines =
    [
        """{"t":"2026-01-01T10:00:00.123Z","at":1767261600.5,"ns":1767261600000000001,"f":85.5,"d":1234.56,"ok":true,"a_long_name_of_a_field":"abc","in":{"x":1.5,"y":2},"more":"x"}""",
        """{"t":"2026-02-28 23:59:59+02:00","at":-1,"f":-40,"d":0.5,"ok":false,"a_long_name_of_a_field":"äöü","in":{"x":0},"more":null,"extra":[1,{"a":"b"}]}""",
        """{"t":"0001-01-01T00:00:00Z","at":0.1234567,"f":-40.000000000000001,"d":"1.25","ok":true,"a_long_name_of_a_field":"ab","in":{"y":-7,"x":12345678901234567890},"list":[1,2],"code":"ABC","more":"\u00e9"}""",
        """{"t":"2026-01-01T10:00:00Z","at":253402300799.9999,"ns":-1,"f":0.1,"d":-0.10,"ok":true,"a_long_name_of_a_field":"wxyz","in":{"x":-0},"more":"a longer text of more than sixteen bytes, with ° in it"}""",
    ];

    [Fact]
    public void Over_mutated_lines_both_ways_give_the_same_verdict()
    {
        var random = new Random(20260101);
        var quick = Compare(new(Flat, "t", canonicalTimestamps: false), QuickRecord.Of(Flat, "t", canonicalTimestamps: false)!, FlatLines, random) +
            Compare(new(Wide, "t", canonicalTimestamps: false), QuickRecord.Of(Wide, "t", canonicalTimestamps: false)!, WideLines, random);
        quick.ShouldBeGreaterThan(Lines / 20, "so few lines were accepted by the quick walk that the comparison says little");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Lines_as_senders_write_them_need_no_second_look(int line)
    {
        QuickWalk.Accepts(Encoding.UTF8.GetBytes(FlatLines[line]), QuickRecord.Of(Flat, "t", canonicalTimestamps: false)!, out _).ShouldBeTrue();
        var wide = WideLines[line == 2 ? 3 : line].Replace(",\"extra\":[1,{\"a\":\"b\"}]", "", StringComparison.Ordinal).Replace("äöü", "abc", StringComparison.Ordinal);
        QuickWalk.Accepts(Encoding.UTF8.GetBytes(wide), QuickRecord.Of(Wide, "t", canonicalTimestamps: false)!, out _).ShouldBeTrue();
    }

    [Fact]
    public void Nothing_at_or_behind_the_end_is_read()
    {
        foreach (var text in FlatLines)
        {
            var line = Encoding.UTF8.GetBytes(text);
            for (var length = 0; length < line.Length; length++)
            {
                // The rest of the line stands behind the end: whoever read it would accept.
                QuickWalk.Accepts(line.AsSpan(0, length), QuickRecord.Of(Flat, "t", canonicalTimestamps: false)!, out _).ShouldBeFalse();
                QuickWalk.LineEnd(new ReadOnlySpan<byte>([.. line, (byte)'\n'], 0, length), 0, QuickRecord.Of(Flat, "t", canonicalTimestamps: false)!, out _).ShouldBe(-1);
            }
        }
    }

    [Fact]
    public void A_line_among_others_is_accepted_exactly_when_its_frame_is()
    {
        var random = new Random(20260202);
        var plan = QuickRecord.Of(Flat, "t", canonicalTimestamps: false)!;
        var lines = FlatLines.Select(Encoding.UTF8.GetBytes).ToArray();
        var quick = 0;
        for (var i = 0; i < Lines / 10; i++)
        {
            var line = lines[random.Next(lines.Length)];
            for (var mutations = random.Next(3); mutations > 0; mutations--) line = Mutate(line, lines[random.Next(lines.Length)], random);
            var before = random.Next(3);
            byte[] buffer = [.. lines[0][..before], .. line, (byte)'\n', .. lines[random.Next(lines.Length)], (byte)'\n'];
            var end = before + buffer.AsSpan(before).IndexOf((byte)'\n');
            var isAccepted = QuickWalk.Accepts(buffer.AsSpan(before, end - before), plan, out var ticks);
            var found = QuickWalk.LineEnd(buffer, before, plan, out var ticksOfLine);
            if (isAccepted) quick++;
            if (found != (isAccepted ? end : -1) || (isAccepted && ticks != ticksOfLine)) Assert.Fail($"{Convert.ToHexString(buffer)} from {before}: the line's end {found}, the frame's {end}, which is {(isAccepted ? "" : "not ")}accepted");
            QuickWalk.LineEnd(buffer.AsSpan(0, end), before, plan, out _).ShouldBe(-1, "the LF is not in the buffer yet");
        }
        quick.ShouldBeGreaterThan(Lines / 100);
    }

    static int Compare(RecordValidator validator, QuickRecord plan, string[] texts, Random random)
    {
        var (now, strict) = (new Verdict(), new Verdict());
        var lines = texts.Select(Encoding.UTF8.GetBytes).ToArray();
        var quick = 0;
        for (var i = 0; i < Lines / 2; i++)
        {
            var line = lines[random.Next(lines.Length)];
            for (var mutations = random.Next(4); mutations > 0; mutations--) line = Mutate(line, lines[random.Next(lines.Length)], random);
            if (QuickWalk.Accepts(line, plan, out _)) quick++;
            var accepts = validator.Accepts(line, now);
            if (accepts == validator.AcceptsStrictly(line, strict) && now.Code == strict.Code && now.Offset == strict.Offset && now.MustRewrite == strict.MustRewrite && (!accepts || now.EventTicks == strict.EventTicks)) continue;
            Assert.Fail($"{Encoding.UTF8.GetString(line)} ({Convert.ToHexString(line)}): {now.Code} at {now.Offset}, event time {now.EventTicks}; strictly {strict.Code} at {strict.Offset}, {strict.EventTicks}");
        }
        return quick;
    }

    static byte[] Mutate(byte[] line, byte[] other, Random random)
    {
        if (line.Length == 0) return other;
        var (at, end) = (random.Next(line.Length), random.Next(line.Length));
        var (from, to) = (Math.Min(at, end), Math.Max(at, end));
        switch (random.Next(8))
        {
            case 0: return [.. line[..at], (byte)random.Next(256), .. line[(at + 1)..]];
            case 1: return [.. line[..at], .. line[(at + 1)..]];
            case 2: return [.. line[..at], Telling[random.Next(Telling.Length)], .. line[at..]];
            case 3: return [.. line[..at], Telling[random.Next(Telling.Length)], .. line[(at + 1)..]];
            case 4: return [.. line[..from], .. line[to..]];
            case 5: return [.. line[..to], .. line[from..]];
            case 6: return [.. line[..at], .. other[random.Next(other.Length)..]];
            default:
                // One digit for another keeps most lines whole and moves the numbers.
                var digits = Enumerable.Range(0, line.Length).Where(i => line[i] is >= (byte)'0' and <= (byte)'9').ToArray();
                if (digits.Length == 0) return line;
                byte[] changed = [.. line];
                changed[digits[random.Next(digits.Length)]] = (byte)('0' + random.Next(10));
                return changed;
        }
    }

    /// <summary>Bytes that mean something in JSON, or look as if.</summary>
    static ReadOnlySpan<byte> Telling => "{}[]:,\"\\ \t\r\n-+.eE0123456789truefalsenull/\0\u007f\u00e9"u8;
}
