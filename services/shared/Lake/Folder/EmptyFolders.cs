namespace LeanPipe.Lake;

/// <summary>What deletions leave behind in a lake that is a folder: folders in which nothing lies. A bucket has none.</summary>
/// <remarks>A folder goes only while it is empty, which the file system itself looks at. Whoever was about to put something there makes it anew.</remarks>
public static class EmptyFolders
{
    /// <summary>Removes the folders that these objects lay in, and those around them that are empty then, up to a prefix of the first level.</summary>
    public static void RemoveAround(Uri root, IEnumerable<string> keys)
    {
        if (!root.IsFile) return;
        foreach (var folder in keys.Select(k => k[..(k.LastIndexOf('/') + 1)]).Distinct().ToList())
        {
            for (var prefix = folder.TrimEnd('/'); prefix.Contains('/') && TryRemove(Path.Combine(root.LocalPath, prefix)); prefix = prefix[..prefix.LastIndexOf('/')])
            {
            }
        }
    }

    /// <summary>Removes every empty folder below the prefixes that nothing was put into or taken from since then: what sweeps that were cut short have left.</summary>
    public static void RemoveOlder(Uri root, DateTimeOffset than)
    {
        if (!root.IsFile) return;
        foreach (var prefix in LakeLayout.Prefixes.Select(p => new DirectoryInfo(Path.Combine(root.LocalPath, p))).Where(p => p.Exists))
            foreach (var folder in prefix.EnumerateDirectories()) Walk(folder, than);
    }

    static void Walk(DirectoryInfo folder, DateTimeOffset than)
    {
        // Before the folders in it go, which changes it.
        var changed = folder.LastWriteTimeUtc;
        try
        {
            foreach (var inner in folder.EnumerateDirectories()) Walk(inner, than);
        }
        catch (DirectoryNotFoundException)
        {
            // Another pass was quicker.
            return;
        }
        if (changed < than.UtcDateTime) TryRemove(folder.FullName);
    }

    static bool TryRemove(string folder)
    {
        try
        {
            Directory.Delete(folder);
            return true;
        }
        catch (DirectoryNotFoundException)
        {
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Something lies there.
            return false;
        }
    }
}
