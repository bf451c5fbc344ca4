using System.Globalization;
using System.Text;

namespace LeanPipe.Cli.Demo;

/// <summary>What a demo sends: the same for the same seed and number, so that it can be continued and its answer is known.</summary>
sealed record TelemetryOptions(long Records, ulong Seed = 1)
{
    public const int Connections = 4;
    public const int Sensors = 50;
    public const int Hours = 3;

    public static readonly DateTimeOffset Start = new(2026, 1, 1, 10, 0, 0, TimeSpan.Zero);
}

enum BadKind
{
    None,
    TruncatedJson,
    WrongType,
    UnknownEnum,
    MissingField,
    OversizedFrame,
}

/// <param name="Value">Null when the reading is a text.</param>
readonly record struct Reading(int Sensor, long Seq, string Kind, double? Value, DateTimeOffset At);

/// <summary>Readings by their number in the stream: number n is the same whoever asks, whenever.</summary>
/// <remarks>
/// Time runs through three hours with some disorder, far below the stream's lateness. Once four fifths are sent, a burst of readings of the first hour comes late, when that
/// hour is sealed. About one in a hundred is bad in one of five ways. Values are multiples of a quarter, so that sums are exact in any order.
/// </remarks>
static class Telemetry
{
    const int BadEvery = 100;
    const int DisorderMs = 60_000;
    const int LateEvery = 2;

    // Far above the stream's limit on a frame, far below what a socket buffers.
    const int OversizedBytes = 6_000;

    static readonly long SpanMs = (long)TimeSpan.FromHours(TelemetryOptions.Hours).TotalMilliseconds;

    /// <summary>How many readings the late burst is spread over.</summary>
    static long Burst(TelemetryOptions options) => Math.Min(600, options.Records / 20);

    public static bool IsLate(TelemetryOptions options, long n)
    {
        var from = options.Records / 5 * 4;
        return n >= from && n < from + Burst(options) && n % LateEvery == 0;
    }

    public static BadKind BadKindOf(TelemetryOptions options, long n)
    {
        var random = Random(options, n, 1);
        return random % BadEvery == 0 ? (BadKind)(1 + random / BadEvery % 5) : BadKind.None;
    }

    public static Reading ReadingOf(TelemetryOptions options, long n)
    {
        var random = Random(options, n, 2);
        var sensor = (int)(random % TelemetryOptions.Sensors) + 1;
        var kind = ((random >> 8) % 10) switch { < 6 => "Temperature", < 9 => "Humidity", _ => "State" };
        double? value = kind switch
        {
            "Temperature" => 15 + sensor % 10 + (random >> 16) % 64 * 0.25,
            "Humidity" => 30 + (random >> 16) % 200 * 0.25,
            _ => null,
        };
        var disorder = (long)((random >> 32) % DisorderMs);
        var at = IsLate(options, n) ? (long)((random >> 24) % (ulong)TimeSpan.MillisecondsPerHour) : Math.Max(0, n * SpanMs / options.Records - disorder);
        return new(sensor, n, kind, value, TelemetryOptions.Start.AddMilliseconds(at));
    }

    /// <summary>The frame with its delimiter.</summary>
    public static byte[] FrameOf(TelemetryOptions options, long n)
    {
        var r = ReadingOf(options, n);
        var value = r.Value is { } number ? number.ToString(CultureInfo.InvariantCulture) : n % 2 == 0 ? "\"open\"" : "\"closed\"";
        var at = r.At.ToUnixTimeMilliseconds();
        var json = BadKindOf(options, n) switch
        {
            BadKind.TruncatedJson => $"{{\"sensor_id\":{r.Sensor},\"seq\":{r.Seq},\"kind\":\"{r.Kind}\",\"val",
            BadKind.WrongType => $"{{\"sensor_id\":\"{r.Sensor}\",\"seq\":{r.Seq},\"kind\":\"{r.Kind}\",\"value\":{value},\"timestamp\":{at}}}",
            BadKind.UnknownEnum => $"{{\"sensor_id\":{r.Sensor},\"seq\":{r.Seq},\"kind\":\"Pressure\",\"value\":{value},\"timestamp\":{at}}}",
            BadKind.MissingField => $"{{\"sensor_id\":{r.Sensor},\"seq\":{r.Seq},\"kind\":\"{r.Kind}\",\"timestamp\":{at}}}",
            BadKind.OversizedFrame => $"{{\"sensor_id\":{r.Sensor},\"seq\":{r.Seq},\"kind\":\"State\",\"value\":\"{new string('x', OversizedBytes)}\",\"timestamp\":{at}}}",
            _ => $"{{\"sensor_id\":{r.Sensor},\"seq\":{r.Seq},\"kind\":\"{r.Kind}\",\"value\":{value},\"timestamp\":{at}}}",
        };
        return Encoding.UTF8.GetBytes(json + "\n");
    }

    // SplitMix64: a good mix of a counter, with nothing to carry from one number to the next.
    static ulong Random(TelemetryOptions options, long n, ulong salt)
    {
        var z = options.Seed * 0xD1342543DE82EF95 + (ulong)n * 0x9E3779B97F4A7C15 + salt * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
