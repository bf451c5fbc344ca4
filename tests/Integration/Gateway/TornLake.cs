using LeanPipe.Lake;

namespace LeanPipe.Integration.Gateway;

/// <summary>Copies of a lake or log as a crash would leave them.</summary>
static class TornLake
{
    /// <summary>Acts on a copy of the lake that fails before and after every of its writes in turn, until it comes to its end.</summary>
    /// <param name="folder">Holds the lake as <c>lake</c>; the copies come beside it.</param>
    /// <param name="then">Is given each copy that was left torn, its folder, and what to call it in a failure.</param>
    /// <returns>How often it was torn.</returns>
    public static async Task<int> AtEveryWriteAsync(string folder, Func<IObjectStore, Task> act, Func<IObjectStore, string, string, Task> then)
    {
        for (var at = 1; ; at++)
        {
            var copy = Path.Combine(folder, $"torn-{at}");
            Copy(Path.Combine(folder, "lake"), copy);
            var store = ObjectStores.Open(new() { Root = copy });
            var writes = 0;
            var torn = new WatchedStore(store, _ =>
            {
                if (++writes == at) throw new IOException("torn");
            });
            try
            {
                await act(torn);
                return at - 1;
            }
            catch (IOException)
            {
                await then(store, copy, $"torn at {at}");
            }
        }
    }

    /// <summary>All but what a living process holds: its lock and its unfinished files.</summary>
    public static void Copy(string source, string target)
    {
        Directory.CreateDirectory(target);
        if (!Directory.Exists(source)) return;
        foreach (var file in Directory.GetFiles(source, "*", SearchOption.AllDirectories))
        {
            var relative = Path.GetRelativePath(source, file);
            if (Path.GetFileName(relative) == "lock" || relative.Contains(".tmp", StringComparison.Ordinal)) continue;
            var copy = Path.Combine(target, relative);
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
    }
}
