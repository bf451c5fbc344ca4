using System.Collections.Concurrent;

namespace LeanPipe.Gateway;

/// <summary>What keeps the gateway from its work right now, by a stable code, and whether it still reads.</summary>
public sealed class GatewayHealth
{
    readonly ConcurrentDictionary<string, string> _reasons = new();
    readonly Lock _sync = new();
    TaskCompletionSource? _closed;

    /// <summary>Code to sentence; empty when all is well.</summary>
    public IReadOnlyDictionary<string, string> Reasons => _reasons;

    /// <summary>False while reading from every connection is stopped. Nothing is lost then: TCP holds the peers back.</summary>
    public bool IsReading => Volatile.Read(ref _closed) is null;

    internal void Raise(string code, string sentence) => _reasons[code] = sentence;

    internal void Clear(string code) => _reasons.TryRemove(code, out _);

    /// <summary>Stops or resumes reading for a reason of its own; it resumes when no such reason is left.</summary>
    internal void SetStopped(string code, string? sentence)
    {
        lock (_sync)
        {
            if (sentence is not null)
            {
                _stops[code] = _reasons[code] = sentence;
                if (_awaited.Remove(code, out var waiting)) waiting.SetResult();
            }
            else if (_stops.Remove(code)) Clear(code);

            if (_stops.Count > 0)
            {
                _closed ??= new(TaskCreationOptions.RunContinuationsAsynchronously);
                return;
            }
            _closed?.SetResult();
            _closed = null;
        }
    }

    /// <summary>Ends when reading is stopped for a reason.</summary>
    internal Task WhenStopped(string code)
    {
        lock (_sync)
        {
            if (_stops.ContainsKey(code)) return Task.CompletedTask;
            if (!_awaited.TryGetValue(code, out var waiting)) _awaited.Add(code, waiting = new(TaskCreationOptions.RunContinuationsAsynchronously));
            return waiting.Task;
        }
    }

    /// <summary>Ends when reading may go on.</summary>
    internal Task WhenReading => Volatile.Read(ref _closed)?.Task ?? Task.CompletedTask;

    readonly Dictionary<string, string> _stops = [];
    readonly Dictionary<string, TaskCompletionSource> _awaited = [];
}
