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
