using LeanPipe.Lake;

namespace LeanPipe.Integration.Lake;

/// <summary>Counts the objects that are read whole.</summary>
public sealed class CountingStore(IObjectStore inner) : IObjectStore
{
    int gets;

    public int Gets => Volatile.Read(ref gets);

    public Uri Root => inner.Root;

    public string? LocalPath(string key) => inner.LocalPath(key);

    public ValueTask<long?> SizeAsync(string key, CancellationToken cancellationToken) => inner.SizeAsync(key, cancellationToken);

    public ValueTask<ReadOnlyMemory<byte>?> GetAsync(string key, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref gets);
        return inner.GetAsync(key, cancellationToken);
    }

    public ValueTask<Stream?> OpenAsync(string key, long offset, long? length, CancellationToken cancellationToken) => inner.OpenAsync(key, offset, length, cancellationToken);

    public IAsyncEnumerable<ListedObject> ListAsync(string prefix, CancellationToken cancellationToken) => inner.ListAsync(prefix, cancellationToken);

    public ValueTask PutAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => inner.PutAsync(key, content, cancellationToken);

    public ValueTask<bool> PutIfAbsentAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => inner.PutIfAbsentAsync(key, content, cancellationToken);

    public ValueTask PutFileAsync(string key, string path, CancellationToken cancellationToken) => inner.PutFileAsync(key, path, cancellationToken);

    public ValueTask CopyAsync(string sourceKey, string targetKey, CancellationToken cancellationToken) => inner.CopyAsync(sourceKey, targetKey, cancellationToken);

    public ValueTask DeleteAsync(string key, CancellationToken cancellationToken) => inner.DeleteAsync(key, cancellationToken);
}
