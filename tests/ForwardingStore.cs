using LeanPipe.Lake;

namespace LeanPipe.Tests;

/// <summary>A store as it is; a derived one changes what its test is about.</summary>
public abstract class ForwardingStore(IObjectStore inner) : IObjectStore
{
    public virtual Uri Root => inner.Root;

    public virtual string? LocalPath(string key) => inner.LocalPath(key);

    public virtual ValueTask<long?> SizeAsync(string key, CancellationToken cancellationToken) => Read().SizeAsync(key, cancellationToken);

    public virtual ValueTask<ReadOnlyMemory<byte>?> GetAsync(string key, CancellationToken cancellationToken) => Read().GetAsync(key, cancellationToken);

    public virtual ValueTask<Stream?> OpenAsync(string key, long offset, long? length, CancellationToken cancellationToken) => Read().OpenAsync(key, offset, length, cancellationToken);

    public virtual IAsyncEnumerable<ListedObject> ListAsync(string prefix, CancellationToken cancellationToken) => Read().ListAsync(prefix, cancellationToken);

    public virtual IAsyncEnumerable<string> ListFoldersAsync(string prefix, CancellationToken cancellationToken) => Read().ListFoldersAsync(prefix, cancellationToken);

    public virtual ValueTask PutAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => Write().PutAsync(key, content, cancellationToken);

    public virtual ValueTask PutAsync(string key, Stream content, string sha256, CancellationToken cancellationToken) => Write().PutAsync(key, content, sha256, cancellationToken);

    public virtual ValueTask<bool> PutIfAbsentAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => Write().PutIfAbsentAsync(key, content, cancellationToken);

    public virtual ValueTask PutFileAsync(string key, string path, CancellationToken cancellationToken) => Write().PutFileAsync(key, path, cancellationToken);

    public virtual ValueTask CopyAsync(string sourceKey, string targetKey, CancellationToken cancellationToken) => Write().CopyAsync(sourceKey, targetKey, cancellationToken);

    public virtual ValueTask DeleteAsync(string key, CancellationToken cancellationToken) => Write().DeleteAsync(key, cancellationToken);

    /// <summary>Asked before each read.</summary>
    protected virtual IObjectStore Read() => inner;

    /// <summary>Asked before each write; a deletion is one.</summary>
    protected virtual IObjectStore Write() => inner;
}
