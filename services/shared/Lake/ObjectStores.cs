namespace LeanPipe.Lake;

public static class ObjectStores
{
    /// <summary>Opens the store that <see cref="LakeOptions.Root"/> names. A folder is made when it is missing; a bucket is not looked at before the first call.</summary>
    /// <exception cref="LakeException">The options are wrong (all broken rules in one message), or the folder cannot be made.</exception>
    public static IObjectStore Open(LakeOptions options)
    {
        if (options.Validate() is { Count: > 0 } errors) throw LakeOptions.BadOptions(errors);
        if (options.IsS3) return new S3Store(options);
        return new FolderStore(FolderOf(options), TimeProvider.System);
    }

    /// <summary>For who only reads: a folder that is missing is not made.</summary>
    /// <exception cref="LakeException">As <see cref="Open"/>; <c>lake.none</c>: there is no such folder.</exception>
    public static IObjectStore OpenExisting(LakeOptions options) => options.Validate() is { Count: > 0 } || options.IsS3 || Directory.Exists(FolderOf(options)) ? Open(options) : throw new LakeException(
        "lake.none", $"There is no lake at {Path.GetFullPath(FolderOf(options))}. 'leanpipe up' makes one; name the folder of an installation with --home, or another lake with --lake.");

    /// <summary>The same for the process that commits (plans, tasks, tables): see <see cref="CommitStore"/> for stores whose conditional puts cannot be trusted.</summary>
    public static IObjectStore OpenForCommits(LakeOptions options) => new CommitStore(Open(options), TimeProvider.System);

    static string FolderOf(LakeOptions options) => options.Root.StartsWith("file://", StringComparison.OrdinalIgnoreCase) ? new Uri(options.Root).LocalPath : options.Root;
}
