namespace LeanPipe.Lake;

static class FolderErrors
{
    const int NoSpace = 28, OverQuota = 122;
    const int WindowsDiskFull = unchecked((int)0x80070070);

    public static LakeException From(Exception e, string what, string path) => e switch
    {
        UnauthorizedAccessException => new(
            "lake.denied", $"Cannot {what} '{path}': permission denied. Expected a folder that this process's user may read and write.", inner: e),
        IOException { HResult: NoSpace or OverQuota or WindowsDiskFull } => new(
            "lake.full", $"Cannot {what} '{path}': the disk is full or over quota. Free space or move the lake; the call will succeed then.", isTransient: true, inner: e),
        PathTooLongException => new("lake.bad_key", $"Cannot {what} '{path}': the path is too long for this file system. Use a shorter root.", inner: e),
        _ => new("lake.io", $"Cannot {what} '{path}': {e.Message} Check the disk and that nobody else changes the lake's folder.", isTransient: true, inner: e),
    };
}
