using LeanPipe.Lake;

namespace LeanPipe.Unit.Orchestrator;

sealed class DiedException : Exception;

/// <summary>The process dies before its n-th durable write: that one and everything after it fails.</summary>
sealed class DyingStore(IObjectStore inner, int dieBefore) : IObjectStore
{
    int _writes;
    bool _dead;

    public int Writes => _writes;

    public Uri Root => inner.Root;

    public string? LocalPath(string key) => inner.LocalPath(key);

    public ValueTask<long?> SizeAsync(string key, CancellationToken cancellationToken) => Alive().SizeAsync(key, cancellationToken);

    public ValueTask<ReadOnlyMemory<byte>?> GetAsync(string key, CancellationToken cancellationToken) => Alive().GetAsync(key, cancellationToken);

    public ValueTask<Stream?> OpenAsync(string key, long offset, long? length, CancellationToken cancellationToken) => Alive().OpenAsync(key, offset, length, cancellationToken);

    public IAsyncEnumerable<ListedObject> ListAsync(string prefix, CancellationToken cancellationToken) => Alive().ListAsync(prefix, cancellationToken);

    public ValueTask PutAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => Write().PutAsync(key, content, cancellationToken);

    public ValueTask<bool> PutIfAbsentAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => Write().PutIfAbsentAsync(key, content, cancellationToken);

    public ValueTask PutFileAsync(string key, string path, CancellationToken cancellationToken) => Write().PutFileAsync(key, path, cancellationToken);

    public ValueTask CopyAsync(string sourceKey, string targetKey, CancellationToken cancellationToken) => Write().CopyAsync(sourceKey, targetKey, cancellationToken);

    public ValueTask DeleteAsync(string key, CancellationToken cancellationToken) => Write().DeleteAsync(key, cancellationToken);

    IObjectStore Alive() => _dead ? throw new DiedException() : inner;

    IObjectStore Write()
    {
        if (Interlocked.Increment(ref _writes) >= dieBefore) _dead = true;
        return Alive();
    }
}
