using System.Net;
using System.Net.Sockets;
using System.Text;

namespace LeanPipe.EndToEnd.Gateway;

/// <summary>Sends every number once, over as many connections as it takes, and knows which were acknowledged. What was not is never sent again, so no record may be in the lake twice.</summary>
sealed class CountingSender(string stream, int seed)
{
    /// <summary>Sent and not acknowledged, at most: enough that every kill finds some, few enough that a connection asks for its acknowledgements all the time.</summary>
    const int InFlight = 150;

    readonly Random _random = new(seed);
    long _next;

    public string Stream => stream;

    public long Sent => _next;

    /// <summary>Records whose acknowledgement has been read.</summary>
    public HashSet<long> Acknowledged { get; } = [];

    /// <summary>Rejects likewise.</summary>
    public HashSet<long> Refused { get; } = [];

    /// <summary>Some are rejected by rule.</summary>
    public static bool IsBad(long number) => number % 13 == 7;

    /// <summary>Time goes on with the numbers, so that windows are sealed while the test runs; some records are late.</summary>
    static string Line(long number)
    {
        var minute = Math.Max(0, number / 200 - (number % 29 == 3 ? 3 : 0));
        return IsBad(number) ? $$"""{"seq":{{number}}}""" : $$"""{"seq":{{number}},"t":"{{new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc).AddMinutes(minute):yyyy-MM-ddTHH:mm:ssZ}}"}""";
    }

    /// <summary>Sends until the connection breaks.</summary>
    /// <param name="acknowledged">Called for every acknowledgement.</param>
    public async Task RunAsync(int port, Action acknowledged, CancellationToken stop)
    {
        using var client = new TcpClient { NoDelay = true };
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stop);
        using var room = new SemaphoreSlim(InFlight);
        var first = _next;
        try
        {
            await client.ConnectAsync(IPAddress.Loopback, port, stop);
            var sending = SendAsync(client.GetStream(), room, ended.Token);
            await ReadAsync(client.GetStream(), first, room, acknowledged, stop);
            await ended.CancelAsync();
            await sending;
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            // That is what a kill does.
            await ended.CancelAsync();
        }
    }

    async Task SendAsync(NetworkStream target, SemaphoreSlim room, CancellationToken stop)
    {
        try
        {
            while (true)
            {
                var text = new StringBuilder();
                for (var i = _random.Next(1, 12); i > 0; i--)
                {
                    await room.WaitAsync(stop);
                    text.Append(Line(_next++)).Append('\n');
                }
                await target.WriteAsync(Encoding.UTF8.GetBytes(text.ToString()), stop);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            return;
        }
    }

    async Task ReadAsync(NetworkStream source, long first, SemaphoreSlim room, Action acknowledged, CancellationToken stop)
    {
        var buffer = new byte[4096];
        var line = new List<byte>();
        long counted = 0;
        while (await source.ReadAsync(buffer, stop) is > 0 and var read)
            foreach (var b in buffer.AsSpan(0, read).ToArray())
            {
                if (b != '\n')
                {
                    line.Add(b);
                    continue;
                }
                // Only a line with its end is an acknowledgement: a kill may cut a number short.
                var text = Encoding.ASCII.GetString([.. line]);
                text.ShouldStartWith("ACK ");
                line.Clear();
                for (var count = long.Parse(text.AsSpan(4)); counted < count; counted++)
                {
                    (IsBad(first + counted) ? Refused : Acknowledged).Add(first + counted);
                    room.Release();
                }
                acknowledged();
            }
    }
}
