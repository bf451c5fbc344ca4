using System.Net;
using System.Net.Sockets;
using LeanPipe.Contracts;

namespace LeanPipe.Gateway.Network;

/// <summary>The connections of one stream: how many are open, from where, and why others are not. Counts are of this process.</summary>
sealed class ConnectionCounts(StreamName stream, TimeProvider time, ILogger logger)
{
    /// <summary>A peer that is refused comes back at once, so a reason is logged no more often than this.</summary>
    static readonly TimeSpan BetweenLines = TimeSpan.FromSeconds(10);

    readonly Lock _sync = new();
    readonly Dictionary<IPAddress, int> _byAddress = [];
    readonly long[] _ended = new long[CloseReasons.All.Count];
    readonly long[] _unlogged = new long[CloseReasons.All.Count];
    readonly long?[] _loggedAt = new long?[CloseReasons.All.Count];
    int _open;

    public int Open => Volatile.Read(ref _open);

    public long Ended(CloseReason reason) => Volatile.Read(ref _ended[(int)reason]);

    public bool TryEnter(int limit)
    {
        if (Interlocked.Increment(ref _open) <= limit) return true;
        Interlocked.Decrement(ref _open);
        return false;
    }

    public void Leave() => Interlocked.Decrement(ref _open);

    /// <summary>Whether an address has fewer than <paramref name="limit"/> connections; one more afterwards.</summary>
    public bool TryEnter(IPAddress address, int limit)
    {
        var key = KeyOf(address);
        lock (_sync)
        {
            var count = _byAddress.GetValueOrDefault(key);
            if (count >= limit) return false;
            _byAddress[key] = count + 1;
            return true;
        }
    }

    public void Leave(IPAddress address)
    {
        var key = KeyOf(address);
        lock (_sync)
        {
            if (--_byAddress[key] == 0) _byAddress.Remove(key);
        }
    }

    public void Count(CloseReason reason, string peer)
    {
        Interlocked.Increment(ref _ended[(int)reason]);
        if (reason.IsOrdinary()) return;
        long others;
        lock (_sync)
        {
            if (_loggedAt[(int)reason] is { } last && time.GetElapsedTime(last) < BetweenLines)
            {
                _unlogged[(int)reason]++;
                return;
            }
            _loggedAt[(int)reason] = time.GetTimestamp();
            others = _unlogged[(int)reason];
            _unlogged[(int)reason] = 0;
        }
        if (reason.IsRefusal()) logger.ConnectionRefused(stream, peer, reason.Text(), others);
        else logger.ConnectionEnded(stream, peer, reason.Text(), others);
    }

    /// <summary>Somebody who has one IPv6 address has 2^64 of them.</summary>
    static IPAddress KeyOf(IPAddress address)
    {
        if (address.AddressFamily != AddressFamily.InterNetworkV6) return address;
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        bytes[8..].Clear();
        return new(bytes);
    }
}
