using System.Security.Cryptography;
using LeanPipe.Lake;

namespace LeanPipe.Integration.Lake;

public sealed class FolderStoreTests : IDisposable
{
    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("leanpipe-folder-");

    static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public async Task Opening_takes_temporary_files_older_than_a_day_and_no_younger_ones()
    {
        var store = new FolderStore(folder.FullName, TimeProvider.System);
        await store.PutAsync("a", "x"u8.ToArray(), Token);
        var temporary = Path.Combine(folder.FullName, ".tmp");
        Directory.GetFiles(temporary).ShouldBeEmpty();
        var now = DateTimeOffset.UtcNow;
        var old = Path.Combine(temporary, $"{now.AddHours(-25).ToUnixTimeSeconds()}-old");
        var young = Path.Combine(temporary, $"{now.AddHours(-23).ToUnixTimeSeconds()}-young");
        foreach (var file in new[] { old, young }) await File.WriteAllTextAsync(file, "half", Token);
        _ = new FolderStore(folder.FullName, TimeProvider.System);
        Directory.GetFiles(temporary).ShouldBe([young]);
        (await store.ListAsync("", Token).ToListAsync()).ShouldHaveSingleItem().Key.ShouldBe("a");
    }

    [Fact]
    public void A_path_with_blanks_and_a_file_URI_open_the_same_lake()
    {
        var path = Path.Combine(folder.FullName, "my lake #1");
        var byPath = ObjectStores.Open(new() { Root = path });
        var byUri = ObjectStores.Open(new() { Root = byPath.Root.AbsoluteUri });
        byUri.LocalPath("a/b").ShouldBe(Path.Combine(path, "a/b"));
        byUri.Root.ShouldBe(byPath.Root);
    }

    [Fact]
    public async Task A_copy_outlives_and_does_not_follow_its_source()
    {
        var store = new FolderStore(folder.FullName, TimeProvider.System);
        await store.PutAsync("from", "one"u8.ToArray(), Token);
        await store.CopyAsync("from", "to", Token);
        await store.CopyAsync("from", "to", Token);
        await store.PutAsync("from", "two"u8.ToArray(), Token);
        await store.DeleteAsync("from", Token);
        (await File.ReadAllTextAsync(store.LocalPath("to"), Token)).ShouldBe("one");
        Directory.GetFiles(Path.Combine(folder.FullName, ".tmp")).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_full_disk_says_so_leaves_nothing_and_goes_on_when_there_is_room()
    {
        var root = Path.Combine(folder.FullName, "disk");
        using var disk = SmallDisk.Mount(root);
        var store = new FolderStore(root, TimeProvider.System);
        var large = new byte[4 << 20];
        var file = Path.Combine(folder.FullName, "large");
        await File.WriteAllBytesAsync(file, large, Token);
        using var stream = new MemoryStream(large);
        var sha256 = Convert.ToHexStringLower(SHA256.HashData(large));
        Func<Task>[] puts =
        [
            async () => await store.PutAsync("a/b", large, Token), async () => await store.PutAsync("a/b", stream, sha256, Token), async () => await store.PutFileAsync("a/b", file, Token),
            async () => await store.PutIfAbsentAsync("a/b", large, Token),
        ];
        foreach (var put in puts)
        {
            var error = await put.ShouldThrowAsync<LakeException>();
            (error.Code, error.IsTransient).ShouldBe(("lake.full", true), error.Message);
            Directory.GetFiles(Path.Combine(root, ".tmp")).ShouldBeEmpty();
        }
        (await store.PutIfAbsentAsync("a/b", "x"u8.ToArray(), Token)).ShouldBeTrue();
        disk.Grow(8);
        foreach (var put in puts) await put();
    }

    [Fact]
    public async Task A_folder_that_was_removed_under_an_open_store_is_made_again()
    {
        var store = new FolderStore(folder.FullName, TimeProvider.System);
        await store.PutAsync("a/b/c", "1"u8.ToArray(), Token);
        Directory.Delete(Path.Combine(folder.FullName, "a"), recursive: true);
        await store.PutAsync("a/b/c", "2"u8.ToArray(), Token);
        (await store.PutIfAbsentAsync("a/b/d", "3"u8.ToArray(), Token)).ShouldBeTrue();
        (await File.ReadAllTextAsync(store.LocalPath("a/b/c"), Token)).ShouldBe("2");
    }

    [Fact]
    public async Task A_place_that_may_not_be_written_is_an_error_that_says_so()
    {
        var error = await Should.ThrowAsync<LakeException>(async () =>
        {
            var store = ObjectStores.Open(new() { Root = "/proc/leanpipe" });
            await store.PutAsync("a", "x"u8.ToArray(), Token);
        });
        error.Message.ShouldContain("/proc/leanpipe");
    }
}
