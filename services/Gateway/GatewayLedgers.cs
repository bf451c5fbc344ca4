using LeanPipe.Contracts;
using LeanPipe.Gateway.Windows;

namespace LeanPipe.Gateway;

/// <summary>The ledgers as they are durable in the log at this moment.</summary>
public sealed class GatewayLedgers
{
    readonly GatewayState _state;
    readonly GatewayOptions _options;
    readonly TimeProvider _time;

    internal GatewayLedgers(GatewayState state, GatewayOptions options, TimeProvider time) => (_state, _options, _time) = (state, options, time);

    public IReadOnlyList<StreamName> Streams
    {
        get
        {
            lock (_state.Sync) return [.. _state.Streams.Select(s => s.Name)];
        }
    }

    /// <exception cref="LeanPipeException"><c>gateway.unknown_stream</c></exception>
    public Ledger Get(StreamName stream) => TryGet(stream) ??
        throw new LeanPipeException("gateway.unknown_stream", $"This gateway has no stream '{stream}'. It has: {string.Join(", ", Streams)}.");

    internal Ledger? TryGet(StreamName stream)
    {
        lock (_state.Sync) return _state.Find(stream)?.ToLedger(_state.Gateway ?? _options.Id, _time.GetUtcNow()) is { } ledger ? ledger with { UpTo = _state.End } : null;
    }
}
