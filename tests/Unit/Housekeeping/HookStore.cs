using LeanPipe.Lake;

namespace LeanPipe.Unit.Housekeeping;

/// <summary>Somebody else acts on the lake just before the n-th call of whoever uses this store.</summary>
sealed class HookStore(IObjectStore inner, int before, Func<Task> act) : IObjectStore
{
    int _calls;

    /// <summary>Whether there were so many calls.</summary>
    public bool Acted => _calls >= before;

    public Uri Root => inner.Root;

    public string? LocalPath(string key) => inner.LocalPath(key);

    public async ValueTask<long?> SizeAsync(string key, CancellationToken cancellationToken) => await (await CallAsync()).SizeAsync(key, cancellationToken);

    public async ValueTask<ReadOnlyMemory<byte>?> GetAsync(string key, CancellationToken cancellationToken) => await (await CallAsync()).GetAsync(key, cancellationToken);

    public async ValueTask<Stream?> OpenAsync(string key, long offset, long? length, CancellationToken cancellationToken) => await (await CallAsync()).OpenAsync(key, offset, length, cancellationToken);

    public async ValueTask PutAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => await (await CallAsync()).PutAsync(key, content, cancellationToken);

    public async ValueTask PutAsync(string key, Stream content, string sha256, CancellationToken cancellationToken) => await (await CallAsync()).PutAsync(key, content, sha256, cancellationToken);

    public async ValueTask<bool> PutIfAbsentAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        await (await CallAsync()).PutIfAbsentAsync(key, content, cancellationToken);

    public async ValueTask PutFileAsync(string key, string path, CancellationToken cancellationToken) => await (await CallAsync()).PutFileAsync(key, path, cancellationToken);

    public async ValueTask CopyAsync(string sourceKey, string targetKey, CancellationToken cancellationToken) => await (await CallAsync()).CopyAsync(sourceKey, targetKey, cancellationToken);

    public async IAsyncEnumerable<ListedObject> ListAsync(string prefix, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var item in (await CallAsync()).ListAsync(prefix, cancellationToken)) yield return item;
    }

    public async ValueTask DeleteAsync(string key, CancellationToken cancellationToken) => await (await CallAsync()).DeleteAsync(key, cancellationToken);

    async ValueTask<IObjectStore> CallAsync()
    {
        if (Interlocked.Increment(ref _calls) == before) await act();
        return inner;
    }
}
