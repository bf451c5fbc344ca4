using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace LeanPipe.Orchestrator;

static class WarmAddress
{
    public static (string Host, int Port)? Parse(string text) =>
        text.LastIndexOf(':') is > 0 and var colon && int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and <= ushort.MaxValue
            ? (text[..colon].Trim('[', ']'), port)
            : null;
}

/// <summary>Which warm step runners there are, and which of them nobody here has given anything.</summary>
sealed class WarmPods(WarmOptions options, TimeProvider time, ILogger log)
{
    // The name's answer is kept about as long as the cluster's own DNS keeps it.
    static readonly TimeSpan AskAgainAfter = TimeSpan.FromSeconds(5);

    readonly Lock _sync = new();
    readonly HashSet<IPEndPoint> _busy = [];
    readonly Dictionary<IPEndPoint, long> _ended = [];
    IReadOnlyList<IPEndPoint> _known = [];
    long? _asked;

    /// <summary>Those that have been idle longest first: they have had the time to prepare their next process.</summary>
    public async Task<IReadOnlyList<IPEndPoint>> IdleAsync(CancellationToken cancellation)
    {
        if (_asked is not { } asked || time.GetElapsedTime(asked) > AskAgainAfter)
        {
            var found = await ResolveAsync(cancellation);
            lock (_sync)
            {
                (_known, _asked) = (found, time.GetTimestamp());
                foreach (var gone in _ended.Keys.Except(found).ToList()) _ended.Remove(gone);
            }
        }
        lock (_sync) return [.. _known.Where(p => !_busy.Contains(p)).OrderBy(p => _ended.GetValueOrDefault(p))];
    }

    /// <returns>False when another task of this service was faster.</returns>
    public bool Take(IPEndPoint pod)
    {
        lock (_sync) return _busy.Add(pod);
    }

    public void Return(IPEndPoint pod)
    {
        lock (_sync)
        {
            _busy.Remove(pod);
            _ended[pod] = time.GetTimestamp();
        }
    }

    async Task<IReadOnlyList<IPEndPoint>> ResolveAsync(CancellationToken cancellation)
    {
        var found = new List<IPEndPoint>();
        foreach (var (host, port) in options.Addresses.Select(WarmAddress.Parse).OfType<(string, int)>())
        {
            try
            {
                found.AddRange((await Dns.GetHostAddressesAsync(host, cancellation)).Select(a => new IPEndPoint(a, port)));
            }
            catch (SocketException e)
            {
                // A headless Service without a pod that is ready has no name.
                log.WarmUnknown(host, e.Message);
            }
        }
        return found;
    }
}
