namespace LeanPipe.Lake;

/// <summary>Lists a folder as a store lists keys: files only, hidden parts skipped, ordinal order of the whole key, one folder in memory at a time.</summary>
static class FolderWalk
{
    public static IEnumerable<ListedObject> Under(string root, string prefix)
    {
        var slash = prefix.LastIndexOf('/');
        return Walk(Path.Combine(root, prefix[..(slash + 1)]), prefix[..(slash + 1)], prefix[(slash + 1)..]);
    }

    public static IEnumerable<string> Folders(string root, string prefix) =>
        Entries(Path.Combine(root, prefix), "").Where(e => e.Entry is DirectoryInfo).Select(e => e.Name);

    static IEnumerable<ListedObject> Walk(string folder, string keyPrefix, string namePrefix)
    {
        foreach (var (name, entry) in Entries(folder, namePrefix))
        {
            if (entry is DirectoryInfo)
            {
                foreach (var item in Walk(entry.FullName, $"{keyPrefix}{name}", "")) yield return item;
            }
            else if (Listed($"{keyPrefix}{name}", (FileInfo)entry) is { } item)
            {
                yield return item;
            }
        }
    }

    // A folder's name takes part in the order with its '/', for that is how it stands in the keys below it.
    static List<(string Name, FileSystemInfo Entry)> Entries(string folder, string namePrefix)
    {
        var entries = new List<(string Name, FileSystemInfo Entry)>();
        try
        {
            foreach (var entry in new DirectoryInfo(folder).EnumerateFileSystemInfos())
            {
                if (entry.Name[0] == '.' || !entry.Name.StartsWith(namePrefix, StringComparison.Ordinal)) continue;
                entries.Add((entry is DirectoryInfo ? entry.Name + '/' : entry.Name, entry));
            }
        }
        catch (DirectoryNotFoundException)
        {
            // Nothing is under a prefix that has no folder, or whose folder has just gone.
            return [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw FolderErrors.From(e, "list", folder);
        }
        entries.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
        return entries;
    }

    static ListedObject? Listed(string key, FileInfo file)
    {
        try
        {
            return new(key, file.Length, new DateTimeOffset(file.LastWriteTimeUtc));
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }
}
