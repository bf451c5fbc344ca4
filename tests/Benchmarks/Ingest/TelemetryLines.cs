using System.Globalization;
using System.Text;

namespace LeanPipe.Benchmarks.Ingest;

/// <summary>Readings as JSON lines of exactly <see cref="LineBytes"/>, made before anything is measured. Time runs through 21 minutes of one hour.</summary>
static class TelemetryLines
{
    /// <summary>With its LF.</summary>
    public const int LineBytes = 121;

    /// <summary>What the gateway checks strictly: every field, its type, no other field.</summary>
    public const string Schema = """
        schema:
          fields:
            sensor_id: { type: int64, min: 1 }
            seq: int64
            kind: { enum: [Temperature, Humidity, State] }
            value: { union: [float64, string] }
            timestamp: { timestamp: milliseconds }
            site: string
        """;

    const int Sensors = 5000;
    const long RecordsPerMillisecond = 4;

    static readonly long Start = new DateTimeOffset(2026, 1, 1, 10, 20, 0, TimeSpan.Zero).ToUnixTimeMilliseconds();

    public static byte[] Make(int count)
    {
        var lines = new byte[count * LineBytes];
        var random = new Random(4711);
        for (var i = 0; i < count; i++) Write(lines.AsSpan(i * LineBytes, LineBytes), random, i);
        return lines;
    }

    static void Write(Span<byte> line, Random random, int number)
    {
        var (kind, value) = random.Next(10) switch
        {
            < 6 => ("Temperature", (15 + random.Next(64) * 0.25).ToString(CultureInfo.InvariantCulture)),
            < 9 => ("Humidity", (30 + random.Next(200) * 0.25).ToString(CultureInfo.InvariantCulture)),
            _ => ("State", random.Next(2) == 0 ? "\"open\"" : "\"closed\""),
        };
        var head = $$"""{"sensor_id":{{1 + random.Next(Sensors)}},"seq":{{number}},"kind":"{{kind}}","value":{{value}},"timestamp":{{Start + number / RecordsPerMillisecond}},"site":"plant-07/""";
        var length = Encoding.ASCII.GetBytes(head, line);
        line[length..].Fill((byte)'x');
        "\"}\n"u8.CopyTo(line[^3..]);
    }
}
