using System.Buffers.Text;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace LeanPipe.Benchmarks.Ingest;

/// <summary>How long acknowledgements took, from handing a block of lines to the socket to the count that covers its last line.</summary>
sealed record AckLatency(double P50Milliseconds, double P99Milliseconds);

/// <summary>Sends lines that were made before, from one thread per connection, and reads acknowledgements when there are any.</summary>
/// <param name="BlockLines">Lines handed to the socket at once.</param>
/// <param name="Every">Between two blocks of a connection; zero sends as fast as the server reads.</param>
sealed record Sender(int Port, int Connections, bool Acked, int BlockLines = 1024, TimeSpan Every = default)
{
    const int AckLineBytes = 32;

    public async Task<AckLatency?> SendAsync(ReadOnlyMemory<byte> lines)
    {
        var count = lines.Length / TelemetryLines.LineBytes;
        var latencies = await Task.WhenAll(Enumerable.Range(0, Connections).Select(c =>
        {
            var (from, to) = ((int)((long)count * c / Connections), (int)((long)count * (c + 1) / Connections));
            var share = lines[(from * TelemetryLines.LineBytes)..(to * TelemetryLines.LineBytes)];
            return Task.Factory.StartNew(() => Send(share), TaskCreationOptions.LongRunning);
        }));
        var all = latencies.SelectMany(l => l).Order().ToArray();
        return all.Length == 0 ? null : new(all[all.Length / 2], all[(int)(all.Length * 0.99)]);
    }

    List<double> Send(ReadOnlyMemory<byte> lines)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Connect(IPAddress.Loopback, Port);
        var blockBytes = BlockLines * TelemetryLines.LineBytes;
        var sentAt = new long[(lines.Length + blockBytes - 1) / blockBytes];
        var reading = Acked ? Task.Factory.StartNew(() => ReadAcks(socket, sentAt, lines.Length / TelemetryLines.LineBytes), TaskCreationOptions.LongRunning) : null;
        using var timer = Every > TimeSpan.Zero ? new PeriodicTimer(Every) : null;
        for (var block = 0; block < sentAt.Length; block++)
        {
            timer?.WaitForNextTickAsync().AsTask().Wait();
            sentAt[block] = Stopwatch.GetTimestamp();
            for (var rest = lines.Span[(block * blockBytes)..Math.Min(lines.Length, (block + 1) * blockBytes)]; !rest.IsEmpty;) rest = rest[socket.Send(rest)..];
        }
        socket.Shutdown(SocketShutdown.Send);
        if (reading is not null) return reading.Result;

        // The server closes when it has read everything.
        while (socket.Receive(new byte[AckLineBytes]) > 0)
        {
        }
        return [];
    }

    List<double> ReadAcks(Socket socket, long[] sentAt, int expected)
    {
        var latencies = new List<double>(sentAt.Length);
        var buffer = new byte[64 * AckLineBytes];
        var (length, covered, frames) = (0, 0, 0L);
        while (frames < expected)
        {
            var read = socket.Receive(buffer.AsSpan(length));
            if (read == 0) throw new InvalidOperationException($"The connection ended after {frames} of {expected} acknowledged lines.");
            var now = Stopwatch.GetTimestamp();
            length += read;
            for (int end; (end = buffer.AsSpan(0, length).IndexOf((byte)'\n')) >= 0;)
            {
                if (!Utf8Parser.TryParse(buffer.AsSpan("ACK ".Length, end - "ACK ".Length), out frames, out _)) throw new InvalidOperationException("An acknowledgement was no ACK line.");
                buffer.AsSpan(end + 1, length - end - 1).CopyTo(buffer);
                length -= end + 1;
            }
            for (; covered < sentAt.Length && Math.Min((covered + 1L) * BlockLines, expected) <= frames; covered++)
                latencies.Add(Stopwatch.GetElapsedTime(sentAt[covered], now).TotalMilliseconds);
        }
        return latencies;
    }
}
