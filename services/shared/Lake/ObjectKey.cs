namespace LeanPipe.Lake;

/// <summary>What may be a key, the same for every store, so that a lake can move from a folder to S3 and back.</summary>
static class ObjectKey
{
    public const string Rule =
        "a key is '/'-separated parts of 1 to 255 printable ASCII characters without '\\', no part beginning with '.', at most 1,000 characters in all";

    public static bool IsValid(string key)
    {
        if (key.Length is 0 or > 1000) return false;
        foreach (var part in key.Split('/'))
        {
            if (part.Length is 0 or > 255 || part[0] == '.') return false;
            foreach (var c in part)
                if (c is < ' ' or > '~' or '\\') return false;
        }
        return true;
    }

    public static string Require(string key) => IsValid(key) ? key : throw Bad(key);

    /// <summary>A prefix is empty, or a key cut anywhere.</summary>
    public static string RequirePrefix(string prefix) =>
        prefix.Length == 0 || IsValid(prefix.EndsWith('/') ? prefix[..^1] : prefix) ? prefix : throw Bad(prefix);

    static LakeException Bad(string key) => new("lake.bad_key", $"'{key}' is no object key: {Rule}.");
}
