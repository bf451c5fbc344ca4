namespace LeanPipe.Lake;

/// <summary>For whoever keeps durable files of its own beside a lake.</summary>
public static class DurableFolder
{
    /// <summary>Makes names given or removed in a folder survive a power cut; the files' contents are the caller's to sync.</summary>
    /// <exception cref="LakeException">The folder is not there or cannot be synced.</exception>
    public static void Sync(string path)
    {
        try
        {
            Posix.SyncFolder(path);
        }
        catch (IOException e)
        {
            throw FolderErrors.From(e, "sync the folder", path);
        }
    }
}
