using LeanPipe.Contracts;
using LeanPipe.Housekeeping;
using LeanPipe.Lake;

namespace LeanPipe.Integration.Housekeeping;

/// <summary>A pass over a lake that is a folder.</summary>
public sealed class EmptyFolderTests : IDisposable
{
    readonly DirectoryInfo _lake = Directory.CreateTempSubdirectory("leanpipe-empty-");

    static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _lake.Delete(recursive: true);

    [Fact]
    public async Task What_is_left_empty_goes_and_what_may_be_in_use_stays()
    {
        var store = ObjectStores.Open(new() { Root = _lake.FullName });
        foreach (var (hour, age) in ((int, int)[])[(9, 40), (10, 40), (11, 1)])
        {
            var key = LakeLayout.Rejected(new("s"), WindowId.Parse($"2026-01-01T{hour:D2}"), "x");
            await store.PutAsync(key, "x"u8.ToArray(), Token);
            File.SetLastWriteTimeUtc(store.LocalPath(key)!, DateTime.UtcNow.AddDays(-age));
        }
        // Of a sweep that was cut short: two deep, and long ago. And one that somebody has just made.
        var left = Directory.CreateDirectory(Path.Combine(_lake.FullName, "runs", "gone", "compact", "00000"));
        for (var folder = left; folder.Name != "runs"; folder = folder.Parent!) folder.LastWriteTimeUtc = DateTime.UtcNow.AddDays(-3);
        Directory.CreateDirectory(Path.Combine(_lake.FullName, "runs", "new", "compact"));

        var report = await HousekeepingPass.RunAsync(store, new() { Rejected = TimeSpan.FromDays(30) }, [], null, new() { ClockIsRight = true }, TimeProvider.System, Token);

        report.Removals.Count.ShouldBe(2);
        Folders().ShouldBe(
        [
            "housekeeping", "housekeeping/log", "rejected", "rejected/s", "rejected/s/date=2026-01-01", "rejected/s/date=2026-01-01/hour=11", "runs", "runs/new", "runs/new/compact",
        ]);
    }

    [Fact]
    public async Task A_writer_beside_the_tidying_of_its_folder_loses_nothing()
    {
        var store = ObjectStores.Open(new() { Root = _lake.FullName });
        var keys = Enumerable.Range(0, 400).Select(n => $"runs/r/s/{n % 4}/x-{n}.json").ToList();
        var writing = Task.Run(async () =>
        {
            foreach (var key in keys)
            {
                await store.PutAsync(key, "{}"u8.ToArray(), Token);
                if (key.GetHashCode(StringComparison.Ordinal) % 2 == 0) await store.DeleteAsync(key, Token);
            }
        }, Token);
        while (!writing.IsCompleted) EmptyFolders.RemoveAround(store.Root, keys);
        await writing;
        foreach (var key in keys) (await store.SizeAsync(key, Token)).ShouldBe(key.GetHashCode(StringComparison.Ordinal) % 2 == 0 ? null : 2, key);
    }

    IEnumerable<string> Folders() => _lake.EnumerateDirectories("*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(_lake.FullName, f.FullName)).Where(f => f[0] != '.').Order(StringComparer.Ordinal);
}
