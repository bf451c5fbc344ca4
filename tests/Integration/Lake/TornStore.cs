using LeanPipe.Lake;

namespace LeanPipe.Integration.Lake;

/// <summary>A process that dies at its n-th write: that write and all after it throw, the n-th one before or after it has had its effect.</summary>
/// <param name="onlyBelow">Only writes of keys below this prefix count; all, when it is empty.</param>
public sealed class TornStore(IObjectStore inner, int dieAt, bool afterItsEffect, string onlyBelow = "") : IObjectStore
{
    int writes;

    public bool Died => Volatile.Read(ref writes) >= dieAt;

    public Uri Root => inner.Root;

    public string? LocalPath(string key) => inner.LocalPath(key);

    public ValueTask<long?> SizeAsync(string key, CancellationToken cancellationToken) => inner.SizeAsync(key, cancellationToken);

    public ValueTask<ReadOnlyMemory<byte>?> GetAsync(string key, CancellationToken cancellationToken) => inner.GetAsync(key, cancellationToken);

    public ValueTask<Stream?> OpenAsync(string key, long offset, long? length, CancellationToken cancellationToken) => inner.OpenAsync(key, offset, length, cancellationToken);

    public IAsyncEnumerable<ListedObject> ListAsync(string prefix, CancellationToken cancellationToken) => inner.ListAsync(prefix, cancellationToken);

    public async ValueTask PutAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        await Tear(key, async () => { await inner.PutAsync(key, content, cancellationToken); return true; });

    public async ValueTask<bool> PutIfAbsentAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        await Tear(key, async () => await inner.PutIfAbsentAsync(key, content, cancellationToken));

    public async ValueTask PutFileAsync(string key, string path, CancellationToken cancellationToken) =>
        await Tear(key, async () => { await inner.PutFileAsync(key, path, cancellationToken); return true; });

    public async ValueTask CopyAsync(string sourceKey, string targetKey, CancellationToken cancellationToken) =>
        await Tear(targetKey, async () => { await inner.CopyAsync(sourceKey, targetKey, cancellationToken); return true; });

    public async ValueTask DeleteAsync(string key, CancellationToken cancellationToken) =>
        await Tear(key, async () => { await inner.DeleteAsync(key, cancellationToken); return true; });

    async Task<bool> Tear(string key, Func<Task<bool>> write)
    {
        if (!key.StartsWith(onlyBelow, StringComparison.Ordinal)) return await write();
        var number = Interlocked.Increment(ref writes);
        if (number < dieAt) return await write();
        if (number == dieAt && afterItsEffect) await write();
        throw new LakeException("lake.test_torn", $"The process died at write {dieAt}.", isTransient: true);
    }
}
