using LeanPipe.Lake;

namespace LeanPipe.Integration.Gateway;

/// <summary>A store that calls the test before and after each write; what the call throws, the write throws.</summary>
sealed class WatchedStore(IObjectStore inner, Action<string> watch) : IObjectStore
{
    public Uri Root => inner.Root;

    public string? LocalPath(string key) => inner.LocalPath(key);

    public ValueTask<long?> SizeAsync(string key, CancellationToken cancellationToken) => inner.SizeAsync(key, cancellationToken);

    public ValueTask<ReadOnlyMemory<byte>?> GetAsync(string key, CancellationToken cancellationToken) => inner.GetAsync(key, cancellationToken);

    public ValueTask<Stream?> OpenAsync(string key, long offset, long? length, CancellationToken cancellationToken) => inner.OpenAsync(key, offset, length, cancellationToken);

    public async ValueTask PutAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        watch("before-put");
        await inner.PutAsync(key, content, cancellationToken);
        watch("after-put");
    }

    public async ValueTask PutAsync(string key, Stream content, string sha256, CancellationToken cancellationToken)
    {
        watch("before-put");
        await inner.PutAsync(key, content, sha256, cancellationToken);
        watch("after-put");
    }

    public async ValueTask<bool> PutIfAbsentAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        watch("before-put-if-absent");
        var isMade = await inner.PutIfAbsentAsync(key, content, cancellationToken);
        watch("after-put-if-absent");
        return isMade;
    }

    public ValueTask PutFileAsync(string key, string path, CancellationToken cancellationToken) => inner.PutFileAsync(key, path, cancellationToken);

    public ValueTask CopyAsync(string sourceKey, string targetKey, CancellationToken cancellationToken) => inner.CopyAsync(sourceKey, targetKey, cancellationToken);

    public IAsyncEnumerable<ListedObject> ListAsync(string prefix, CancellationToken cancellationToken) => inner.ListAsync(prefix, cancellationToken);

    public ValueTask DeleteAsync(string key, CancellationToken cancellationToken) => inner.DeleteAsync(key, cancellationToken);
}
