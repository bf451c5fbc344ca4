using LeanPipe.Lake;

namespace LeanPipe.Integration.Lake;

/// <summary>Counts the objects that are read whole.</summary>
public sealed class CountingStore(IObjectStore inner) : ForwardingStore(inner)
{
    int gets;

    public int Gets => Volatile.Read(ref gets);

    public override ValueTask<ReadOnlyMemory<byte>?> GetAsync(string key, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref gets);
        return base.GetAsync(key, cancellationToken);
    }

}
