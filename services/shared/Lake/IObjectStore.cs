using System.Runtime.CompilerServices;

namespace LeanPipe.Lake;

/// <summary>The one seam between the lake and what stores it: a folder, or an S3 bucket with a prefix.</summary>
/// <remarks>
/// Keys are relative, '/'-separated, without a leading slash, '.' or '..' parts. A put is atomic: readers see the whole object or none. After a put returns, the object
/// is durable and every get and list sees it. Missing objects are values (null, false); what fails is a <see cref="LakeException"/> that knows whether to try again.
/// </remarks>
public interface IObjectStore
{
    /// <summary>The lake's root as a URI without credentials: <c>file:///var/lake</c>, <c>s3://bucket/prefix</c>.</summary>
    Uri Root { get; }

    /// <summary>The object's local path when the store is a folder, so that a reader can open it in place; otherwise null.</summary>
    string? LocalPath(string key);

    /// <summary>The size in bytes; null when there is no such object.</summary>
    ValueTask<long?> SizeAsync(string key, CancellationToken cancellationToken);

    /// <summary>The whole object in memory, for small ones; null when there is none.</summary>
    ValueTask<ReadOnlyMemory<byte>?> GetAsync(string key, CancellationToken cancellationToken);

    /// <summary>A stream over the object or over a range of it; null when there is none. The caller disposes it.</summary>
    ValueTask<Stream?> OpenAsync(string key, long offset, long? length, CancellationToken cancellationToken);

    /// <summary>Makes the object, or replaces it.</summary>
    ValueTask PutAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken);

    /// <summary>Makes the object, or replaces it, without ever holding all of it in memory.</summary>
    /// <param name="content">Of a known length, able to seek: it is read from its beginning, and again when a try has failed. The caller disposes it.</param>
    /// <param name="sha256">Of the content, in lower-case hexadecimal. Over a network the store compares it; a folder does not, which would read every record's bytes once more for a copy within the machine.</param>
    /// <exception cref="LakeException"><c>lake.refused</c>: what arrived has another checksum. Nothing was written.</exception>
    ValueTask PutAsync(string key, Stream content, string sha256, CancellationToken cancellationToken);

    /// <summary>Makes the object only if there is none; false when another one is there, whatever it holds.</summary>
    ValueTask<bool> PutIfAbsentAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken);

    /// <summary>Uploads a file of any size, in parts where the store has them.</summary>
    ValueTask PutFileAsync(string key, string path, CancellationToken cancellationToken);

    /// <summary>The same for whoever knows the file's checksum, so that the store need not make it once more.</summary>
    /// <param name="sha256">As in <see cref="PutAsync(string, Stream, string, CancellationToken)"/>.</param>
    ValueTask PutFileAsync(string key, string path, string sha256, CancellationToken cancellationToken) => PutFileAsync(key, path, cancellationToken);

    /// <summary>Copies an object within the lake without bringing it here.</summary>
    ValueTask CopyAsync(string sourceKey, string targetKey, CancellationToken cancellationToken);

    /// <summary>Every object whose key begins with the prefix, in ordinal order of keys.</summary>
    IAsyncEnumerable<ListedObject> ListAsync(string prefix, CancellationToken cancellationToken);

    /// <summary>The parts that follow a prefix ending in '/', up to and with their own '/', in ordinal order: <c>tables/</c> gives <c>a/</c>, <c>b/</c>.</summary>
    async IAsyncEnumerable<string> ListFoldersAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string? last = null;
        await foreach (var item in ListAsync(prefix, cancellationToken))
        {
            if (item.Key.IndexOf('/', prefix.Length) is var slash and >= 0 && item.Key[prefix.Length..(slash + 1)] is var folder && folder != last)
                yield return last = folder;
        }
    }

    /// <summary>Deletes the object; no error when there is none.</summary>
    ValueTask DeleteAsync(string key, CancellationToken cancellationToken);

    /// <summary>Moves an object to another storage class of its store, under the same key and with the same bytes. A list tells whether the store did.</summary>
    /// <exception cref="LakeException"><c>lake.unsupported</c>: the store has no classes.</exception>
    ValueTask SetStorageClassAsync(string key, string storageClass, CancellationToken cancellationToken) =>
        ValueTask.FromException(new LakeException("lake.unsupported", $"{Root} has no storage classes; only S3 has."));
}

/// <param name="StorageClass">As S3 names it; null where there are none.</param>
public readonly record struct ListedObject(string Key, long Bytes, DateTimeOffset LastModified, string? StorageClass = null);
