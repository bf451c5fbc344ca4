using Dapr.Workflow.Serialization;
using LeanPipe.DaprWire;

namespace Dapr.Workflow.Replay;

/// <summary>External events, by name without case: the oldest waiter gets the next event, the oldest event waits for the next waiter.</summary>
sealed class NamedEvents(Payloads payloads)
{
    readonly Dictionary<string, Queue<Waiter>> _waiters = new(StringComparer.OrdinalIgnoreCase);

    // In the order of arrival over all names: that is the order in which they are carried over.
    readonly List<HistoryEvent> _unclaimed = [];

    public IReadOnlyList<HistoryEvent> Unclaimed => _unclaimed;

    public bool HasWaiters => _waiters.Values.Any(queue => queue.Any(waiter => !waiter.IsDone));

    /// <remarks>A waiter that nobody awaits any more still gets its event; only a cancelled one is passed over.</remarks>
    public void Raise(HistoryEvent e)
    {
        if (_waiters.TryGetValue(e.EventRaised.Name, out var queue))
        {
            while (queue.TryDequeue(out var waiter))
            {
                if (!waiter.IsDone)
                {
                    waiter.Complete(e.EventRaised.Input);
                    return;
                }
            }
        }

        _unclaimed.Add(e);
    }

    public Task<T> Next<T>(string name, CancellationToken cancellationToken)
    {
        var waiter = new Waiter<T>(payloads);
        var index = _unclaimed.FindIndex(e => name.Equals(e.EventRaised.Name, StringComparison.OrdinalIgnoreCase));
        if (index >= 0)
        {
            var e = _unclaimed[index];
            _unclaimed.RemoveAt(index);
            waiter.Complete(e.EventRaised.Input);
            return waiter.Task;
        }

        if (!_waiters.TryGetValue(name, out var queue))
        {
            _waiters.Add(name, queue = new Queue<Waiter>());
        }

        queue.Enqueue(waiter);
        cancellationToken.UnsafeRegister(static (state, token) => ((Waiter<T>)state!).Cancel(token), waiter);
        return waiter.Task;
    }

    abstract class Waiter
    {
        public abstract bool IsDone { get; }

        public abstract void Complete(string? json);
    }

    sealed class Waiter<T>(Payloads payloads) : Waiter
    {
        readonly TaskCompletionSource<T> _end = new();

        public Task<T> Task => _end.Task;

        public override bool IsDone => _end.Task.IsCompleted;

        public void Cancel(CancellationToken cancellationToken) => _end.TrySetCanceled(cancellationToken);

        public override void Complete(string? json)
        {
            T? value;
            try
            {
                value = payloads.Read<T>(json);
            }
            catch (Exception e)
            {
                _end.TrySetException(e);
                return;
            }

            _end.TrySetResult(value!);
        }
    }
}
