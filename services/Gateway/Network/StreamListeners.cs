using System.Net;
using System.Net.Sockets;
using LeanPipe.Contracts;
using Microsoft.AspNetCore.Connections;

namespace LeanPipe.Gateway.Network;

/// <summary>What streams listen on, while their documents change. A port that cannot be bound is said and tried again, and the address before it is listened on until then.</summary>
sealed class StreamListeners(
    IConnectionListenerFactory sockets, GatewayEndpoints endpoints, GatewayOptions options, GatewayHealth health, TimeProvider time, ILogger<StreamListeners> logger) : IAsyncDisposable
{
    const string NotListening = "not_listening";

    readonly SemaphoreSlim _one = new(1);
    readonly Dictionary<StreamName, StreamListener> _open = [];

    /// <summary>Listeners that take nobody more; their connections may go on.</summary>
    readonly List<StreamListener> _closed = [];

    IReadOnlyDictionary<StreamName, string> _wanted = new Dictionary<StreamName, string>();
    ITimer? _again;
    bool _isEnded;

    /// <summary>One connection from its first byte to its end.</summary>
    public required Func<StreamName, ConnectionContext, Task> Serve { get; init; }

    /// <summary>Listens on all addresses from now on.</summary>
    /// <exception cref="LeanPipeException"><c>gateway.cannot_listen</c>: a gateway that starts says at once what is wrong.</exception>
    public async Task StartAsync(IReadOnlyDictionary<StreamName, string> wanted)
    {
        await UseAsync(wanted);
        if (!health.Reasons.TryGetValue(NotListening, out var reason)) return;
        health.Clear(NotListening);
        throw new LeanPipeException("gateway.cannot_listen", reason);
    }

    /// <summary>Takes what streams are to listen on. When it returns, nobody listens for a stream that is not among them.</summary>
    public async Task UseAsync(IReadOnlyDictionary<StreamName, string> wanted)
    {
        await _one.WaitAsync();
        try
        {
            if (_isEnded) return;
            _wanted = wanted;

            // Two streams may have swapped their ports, and one port is not bound twice, be it on another address.
            var ports = wanted.Values.Select(PortOf).Where(p => p != 0).ToHashSet();
            foreach (var (stream, listener) in _open.ToList())
                if (!wanted.TryGetValue(stream, out var listen) || (listen != listener.Listen && ports.Contains(listener.EndPoint.Port))) await CloseAsync(stream);
            await BindAsync();
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Takes nobody more and waits for those who are in; cuts them off at the deadline.</summary>
    public async Task EndAsync(CancellationToken deadline)
    {
        await _one.WaitAsync(CancellationToken.None);
        try
        {
            _isEnded = true;
            if (_again is not null) await _again.DisposeAsync();
            _again = null;
            foreach (var stream in _open.Keys.ToList()) await CloseAsync(stream);
            await Task.WhenAll(_closed.Select(l => l.EndAsync(deadline)));
            _closed.Clear();
        }
        finally
        {
            _one.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await EndAsync(new(canceled: true));
        _one.Dispose();
    }

    async Task BindAsync()
    {
        var failures = new List<string>();
        foreach (var (stream, listen) in _wanted)
        {
            if (_open.GetValueOrDefault(stream)?.Listen == listen) continue;
            try
            {
                var bound = new StreamListener(listen, await sockets.BindAsync(IPEndPoint.Parse(listen)), context => Serve(stream, context), time, logger);
                await CloseAsync(stream);
                _open[stream] = bound;
                endpoints.Set(stream, bound.EndPoint);
                bound.Start();
                logger.Listening(stream, bound.EndPoint.ToString());
            }
            catch (Exception e) when (e is IOException or SocketException or AddressInUseException)
            {
                var meanwhile = _open.TryGetValue(stream, out var before) ? $" It listens on {before.EndPoint} until then." : "";
                failures.Add($"The stream '{stream}' cannot listen on {listen}: {e.Message.TrimEnd('.')}. Free the port or change the document's 'listen'.{meanwhile}");
                if (_again is null) logger.CannotListen(stream, listen, e);
            }
        }
        if (failures.Count == 0) health.Clear(NotListening);
        else health.Raise(NotListening, string.Join(' ', failures));
        await TryAgainAsync(failures.Count > 0);
    }

    async Task TryAgainAsync(bool isNeeded)
    {
        if (isNeeded) _again ??= time.CreateTimer(_ => _ = AgainAsync(), null, options.ListenAgainAfter, options.ListenAgainAfter);
        else if (_again is not null)
        {
            await _again.DisposeAsync();
            _again = null;
        }
    }

    async Task AgainAsync()
    {
        // Who is slower than the timer has the next call.
        if (!await _one.WaitAsync(TimeSpan.Zero)) return;
        try
        {
            if (_again is not null) await BindAsync();
        }
        finally
        {
            _one.Release();
        }
    }

    async Task CloseAsync(StreamName stream)
    {
        if (!_open.Remove(stream, out var listener)) return;
        await listener.CloseAsync();
        _closed.Add(listener);
        endpoints.Remove(stream);
        logger.ListensNoMore(stream, listener.EndPoint.ToString());
    }

    static int PortOf(string listen) => IPEndPoint.Parse(listen).Port;
}
