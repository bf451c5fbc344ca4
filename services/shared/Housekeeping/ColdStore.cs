using System.Security.Cryptography;
using LeanPipe.Lake;

namespace LeanPipe.Housekeeping;

/// <summary>A second place for what leaves the lake, under the same keys. An object is deleted from the lake only after its copy was read back whole.</summary>
sealed class ColdStore(IObjectStore lake, IObjectStore cold)
{
    /// <exception cref="LakeException"><c>lake.copy_differs</c>: the object or its copy is not what the manifest says.</exception>
    public async Task CopyAsync(Removal removal, CancellationToken cancellationToken)
    {
        var source = await HashAsync(lake, removal.Key, cancellationToken);
        // Gone already: a pass before this one was cut short between the deletion and its end.
        if (source is null) return;
        if (removal.Sha256 is { } expected && source != expected) throw Differs(lake, removal, "is not what its manifest says; it was not deleted");
        if (await HashAsync(cold, removal.Key, cancellationToken) != source)
        {
            var file = Path.GetTempFileName();
            try
            {
                await using (var from = await lake.OpenAsync(removal.Key, 0, null, cancellationToken) ?? throw Differs(lake, removal, "has just gone"))
                await using (var to = File.Create(file)) await from.CopyToAsync(to, cancellationToken);
                await cold.PutFileAsync(removal.Key, file, cancellationToken);
            }
            finally
            {
                File.Delete(file);
            }
        }
        if (await HashAsync(cold, removal.Key, cancellationToken) != source) throw Differs(lake, removal, $"was copied to {cold.Root}, where other bytes are read back; it was not deleted");
    }

    /// <summary>The object stays under its key and gets the class. It is read before and after.</summary>
    /// <exception cref="LakeException"><c>lake.copy_differs</c>, as of a copy; <c>lake.unsupported</c>: the store took the request and left the class as it was.</exception>
    public static async Task ChangeClassAsync(IObjectStore lake, Removal removal, string storageClass, CancellationToken cancellationToken)
    {
        var before = await HashAsync(lake, removal.Key, cancellationToken);
        if (before is null) return;
        if (removal.Sha256 is { } expected && before != expected) throw Differs(lake, removal, "is not what its manifest says; its storage class was left as it is");
        await lake.SetStorageClassAsync(removal.Key, storageClass, cancellationToken);
        if (await HashAsync(lake, removal.Key, cancellationToken) != before) throw Differs(lake, removal, $"has other bytes since it has the storage class {storageClass}");
        var listed = await lake.ListAsync(removal.Key, cancellationToken).FirstOrDefaultAsync(o => o.Key == removal.Key, cancellationToken);
        if (listed.StorageClass != storageClass)
            throw new LakeException("lake.unsupported", $"{lake.Root} was asked for the storage class {storageClass} of '{removal.Key}' and lists it as {listed.StorageClass ?? "of no class"}. Take one that the store has, or write cold_storage.");
    }

    static async Task<string?> HashAsync(IObjectStore store, string key, CancellationToken cancellationToken)
    {
        await using var stream = await store.OpenAsync(key, 0, null, cancellationToken);
        return stream is null ? null : Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, cancellationToken));
    }

    static LakeException Differs(IObjectStore lake, Removal removal, string found) =>
        new("lake.copy_differs", $"Object '{removal.Key}' of {lake.Root} {found}. Look at it by hand, and move it with the store's own tools.");
}
