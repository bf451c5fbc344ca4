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
        if (removal.Sha256 is { } expected && source != expected) throw Differs(removal, "is not what its manifest says");
        if (await HashAsync(cold, removal.Key, cancellationToken) != source)
        {
            var file = Path.GetTempFileName();
            try
            {
                await using (var from = await lake.OpenAsync(removal.Key, 0, null, cancellationToken) ?? throw Differs(removal, "has just gone"))
                await using (var to = File.Create(file)) await from.CopyToAsync(to, cancellationToken);
                await cold.PutFileAsync(removal.Key, file, cancellationToken);
            }
            finally
            {
                File.Delete(file);
            }
        }
        if (await HashAsync(cold, removal.Key, cancellationToken) != source) throw Differs(removal, $"was copied to {cold.Root}, where other bytes are read back");
    }

    static async Task<string?> HashAsync(IObjectStore store, string key, CancellationToken cancellationToken)
    {
        await using var stream = await store.OpenAsync(key, 0, null, cancellationToken);
        return stream is null ? null : Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, cancellationToken));
    }

    LakeException Differs(Removal removal, string found) =>
        new("lake.copy_differs", $"Object '{removal.Key}' of {lake.Root} {found}; it was not deleted. Look at it by hand, and move it with the store's own tools.");
}
