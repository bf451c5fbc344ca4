using System.Threading.Channels;
using LeanPipe.DaprWire;
using LeanPipe.Sidecar.State;

namespace LeanPipe.Sidecar.Workflows;

/// <summary>One connected worker: the items on their way to it, and those it has not answered.</summary>
/// <param name="app">Whose items it takes; null = the main app's.</param>
sealed class WorkerStream(string? app)
{
    readonly Channel<WorkItem> _items = Channel.CreateUnbounded<WorkItem>(new UnboundedChannelOptions { SingleReader = true });

    /// <summary>Bounded by the limits of items without an answer, not by itself.</summary>
    public ChannelReader<WorkItem> Items => _items.Reader;

    public string? App { get; } = app;

    public HashSet<Dispatch> Outstanding { get; } = [];

    public int Turns { get; set; }

    public int Activities { get; set; }

    public void Send(WorkItem item) => _items.Writer.TryWrite(item);
}

/// <summary>What the dispatcher knows of one execution; a new execution of the same instance gets a new one.</summary>
sealed class Flight
{
    public bool TurnQueued { get; set; }

    public Dispatch? Turn { get; set; }

    /// <summary>By action id; null = queued, not handed out.</summary>
    public Dictionary<int, Dispatch?> Activities { get; } = [];
}

/// <summary>One item in the hands of one worker.</summary>
/// <param name="Token">Random; a worker that echoes it cannot answer for another dispatch.</param>
/// <param name="Turn">Null = an activity.</param>
/// <param name="Scheduled">The activity's event; null = a turn.</param>
sealed record Dispatch(string Token, string InstanceId, Flight Flight, WorkerStream Stream, Turn? Turn, HistoryEvent? Scheduled)
{
    /// <summary>What the answer will say: the id of the instance, and whose worker it is.</summary>
    public string AnswerKey => InstanceKey.Of(Stream.App, InstanceKey.IdOf(InstanceId));

    public bool IsCurrent => Scheduled is null
        ? ReferenceEquals(Flight.Turn, this)
        : Flight.Activities.TryGetValue(Scheduled.EventId, out var current) && ReferenceEquals(current, this);

    public bool Equals(Dispatch? other) => ReferenceEquals(this, other);

    public override int GetHashCode() => Token.GetHashCode(StringComparison.Ordinal);
}
