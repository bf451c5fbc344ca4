using System.Text;
using LeanPipe.Contracts;
using LeanPipe.Gateway;
using LeanPipe.Gateway.Intake;
using LeanPipe.Gateway.Log;
using LeanPipe.Gateway.Shipping;
using LeanPipe.Gateway.Windows;
using Microsoft.Extensions.Logging.Abstractions;

namespace LeanPipe.Unit.Gateway;

public sealed class LogLinesTests : IDisposable
{
    static readonly StreamDefinition Telemetry = new()
    {
        Name = new("telemetry"),
        Listen = "127.0.0.1:0",
        EventTime = "t",
        Limits = new() { MaxAhead = TimeSpan.FromDays(36500), MaxBehind = TimeSpan.FromDays(36500) },
        Schema = new([new("s", new StringType()), new("t", new TimestampType(TimestampUnit.Seconds))]),
    };

    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("leanpipe-lines-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task The_lines_of_a_window_come_in_their_order_whatever_the_reader_asks_for_at_once()
    {
        // Three windows by turns, short lines and some longer than what is read at once, over several files of the log.
        var state = new GatewayState(TimeProvider.System);
        var options = new GatewayOptions { Streams = [Telemetry], Lake = new() { Root = _folder.FullName }, LogDirectory = _folder.FullName, LogFileBytes = 100_000, MaxLogBytes = 100_000_000 };
        using var log = WriteAheadLog.Open(options, state, new(), NullLogger.Instance);
        await log.AppendAsync(EntryKind.StreamDeclared, new(0, Telemetry.Name), LogJson.Default.StreamDeclared);
        var intake = new FrameIntake(new(Telemetry, 0, DateTimeOffset.UtcNow), options, TimeProvider.System, 1, "test");
        var (random, received, expected) = (new Random(7), 0L, new[] { new StringBuilder(), new StringBuilder(), new StringBuilder() });
        for (var i = 0; i < 400; i++)
        {
            var window = random.Next(3);
            var line = $$"""{"s":"{{new string('x', random.Next(20) == 0 ? random.Next(30_000) : random.Next(100))}}","t":{{window * 3600 + i}}}""" + "\n";
            expected[window].Append(line);
            received += line.Length;
            var (_, batch) = intake.Take(Encoding.UTF8.GetBytes(line), received, log);
            if (i % 10 == 0) await batch!.Durable;
        }
        await log.AppendAsync(EntryKind.Truncated, new(0), LogJson.Default.TruncatedEntry);

        for (var window = 0; window < 3; window++)
        {
            var bytes = Encoding.UTF8.GetBytes(expected[window].ToString());
            var ticks = DateTime.UnixEpoch.Ticks + window * TimeSpan.TicksPerHour;
            using var lines = new LogLines(log, [.. state.Streams[0].Lanes.Values.Single(l => l.Key.WindowTicks == ticks).Uncut]);
            lines.Length.ShouldBe(bytes.Length);
            foreach (var atOnce in new[] { 1_000_000, 4096, 777 })
            {
                lines.Position = 0;
                ReadAll(lines, atOnce).SequenceEqual(bytes).ShouldBeTrue($"{atOnce} at once");
            }
            foreach (var position in new[] { 1, bytes.Length / 2, bytes.Length - 1, bytes.Length })
            {
                lines.Position = position;
                ReadAll(lines, 1000).SequenceEqual(bytes[position..]).ShouldBeTrue($"from {position}");
            }
        }
    }

    static byte[] ReadAll(LogLines lines, int atOnce)
    {
        var (all, buffer) = (new MemoryStream(), new byte[atOnce]);
        for (int read; (read = lines.Read(buffer, 0, atOnce)) > 0;) all.Write(buffer, 0, read);
        return all.ToArray();
    }
}
