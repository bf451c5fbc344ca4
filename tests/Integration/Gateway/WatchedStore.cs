using LeanPipe.Lake;

namespace LeanPipe.Integration.Gateway;

/// <summary>A store that calls the test before and after each write; what the call throws, the write throws.</summary>
sealed class WatchedStore(IObjectStore inner, Action<string> watch) : ForwardingStore(inner)
{
    public override async ValueTask PutAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        watch("before-put");
        await base.PutAsync(key, content, cancellationToken);
        watch("after-put");
    }

    public override async ValueTask PutAsync(string key, Stream content, string sha256, CancellationToken cancellationToken)
    {
        watch("before-put");
        await base.PutAsync(key, content, sha256, cancellationToken);
        watch("after-put");
    }

    public override async ValueTask<bool> PutIfAbsentAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        watch("before-put-if-absent");
        var isMade = await base.PutIfAbsentAsync(key, content, cancellationToken);
        watch("after-put-if-absent");
        return isMade;
    }

    public override async ValueTask DeleteAsync(string key, CancellationToken cancellationToken)
    {
        watch("before-delete");
        await base.DeleteAsync(key, cancellationToken);
        watch("after-delete");
    }
}
