using LeanPipe.Lake;

namespace LeanPipe.Integration.Lake;

/// <summary>A process that dies at its n-th write: that write and all after it throw, the n-th one before or after it has had its effect.</summary>
/// <param name="onlyBelow">Only writes of keys below this prefix count; all, when it is empty.</param>
public sealed class TornStore(IObjectStore inner, int dieAt, bool afterItsEffect, string onlyBelow = "") : ForwardingStore(inner)
{
    int writes;

    public bool Died => Volatile.Read(ref writes) >= dieAt;

    public override async ValueTask PutAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        await Tear(key, async () => { await base.PutAsync(key, content, cancellationToken); return true; });

    public override async ValueTask PutAsync(string key, Stream content, string sha256, CancellationToken cancellationToken) =>
        await Tear(key, async () => { await base.PutAsync(key, content, sha256, cancellationToken); return true; });

    public override async ValueTask<bool> PutIfAbsentAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        await Tear(key, async () => await base.PutIfAbsentAsync(key, content, cancellationToken));

    public override async ValueTask PutFileAsync(string key, string path, CancellationToken cancellationToken) =>
        await Tear(key, async () => { await base.PutFileAsync(key, path, cancellationToken); return true; });

    public override async ValueTask CopyAsync(string sourceKey, string targetKey, CancellationToken cancellationToken) =>
        await Tear(targetKey, async () => { await base.CopyAsync(sourceKey, targetKey, cancellationToken); return true; });

    public override async ValueTask DeleteAsync(string key, CancellationToken cancellationToken) =>
        await Tear(key, async () => { await base.DeleteAsync(key, cancellationToken); return true; });

    async Task<bool> Tear(string key, Func<Task<bool>> write)
    {
        if (!key.StartsWith(onlyBelow, StringComparison.Ordinal)) return await write();
        var number = Interlocked.Increment(ref writes);
        if (number < dieAt) return await write();
        if (number == dieAt && afterItsEffect) await write();
        throw new LakeException("lake.test_torn", $"The process died at write {dieAt}.", isTransient: true);
    }
}
