using System.Security.Cryptography;
using System.Text;
using LeanPipe.Lake;

namespace LeanPipe.Integration.Lake;

public sealed class FolderStoreSuite : StoreSuite
{
    protected override Task<TestStore> OpenAsync() => Task.FromResult(TestStore.Folder());
}

public sealed class S3StoreSuite : StoreSuite
{
    protected override Task<TestStore> OpenAsync() => TestStore.S3Async();

    [Fact]
    public async Task A_stream_that_is_not_what_its_checksum_says_is_refused_and_leaves_what_was_there()
    {
        await using var at = await OpenAsync();
        await at.Store.PutAsync("there", "before"u8.ToArray(), Token);
        using var content = new MemoryStream("something else"u8.ToArray());
        foreach (var key in (string[])["new", "there"])
        {
            var refused = await Should.ThrowAsync<LakeException>(async () => await at.Store.PutAsync(key, content, Convert.ToHexStringLower(SHA256.HashData("x"u8)), Token));
            (refused.Code, refused.IsTransient).ShouldBe(("lake.refused", false), refused.Message);
        }
        (await Keys(at.Store, "")).ShouldBe(["there"]);
        Encoding.UTF8.GetString((await at.Store.GetAsync("there", Token))!.Value.Span).ShouldBe("before");
    }
}

/// <summary>What every store must do, whatever it is made of.</summary>
public abstract class StoreSuite
{
    protected abstract Task<TestStore> OpenAsync();

    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_probe_passes_and_leaves_no_object_behind()
    {
        await using var at = await OpenAsync();
        var result = await StoreProbe.RunAsync(at.Store, Token);
        result.Properties.Where(p => !p.Holds).ShouldBeEmpty();
        result.Passed.ShouldBeTrue();
        (await Keys(at.Store, "")).ShouldBeEmpty();
    }

    [Fact]
    public async Task What_is_not_there_is_a_value()
    {
        await using var at = await OpenAsync();
        (await at.Store.GetAsync("no/such", Token)).ShouldBeNull();
        (await at.Store.SizeAsync("no/such", Token)).ShouldBeNull();
        (await at.Store.OpenAsync("no/such", 0, null, Token)).ShouldBeNull();
        (await at.Store.OpenAsync("no/such", 5, 0, Token)).ShouldBeNull();
        (await Keys(at.Store, "no/")).ShouldBeEmpty();
        await at.Store.DeleteAsync("no/such", Token);
        var missing = await Should.ThrowAsync<LakeException>(async () => await at.Store.CopyAsync("no/such", "other", Token));
        missing.Code.ShouldBe("lake.missing");
        missing.IsTransient.ShouldBeFalse();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(100_000)]
    public async Task What_was_put_is_read_back(int bytes)
    {
        await using var at = await OpenAsync();
        var content = RandomNumberGenerator.GetBytes(bytes);
        await at.Store.PutAsync("a/b/c.bin", content, Token);
        (await at.Store.GetAsync("a/b/c.bin", Token))!.Value.ToArray().ShouldBe(content);
        (await at.Store.SizeAsync("a/b/c.bin", Token)).ShouldBe(bytes);
        await at.Store.PutAsync("a/b/c.bin", "new"u8.ToArray(), Token);
        Encoding.UTF8.GetString((await at.Store.GetAsync("a/b/c.bin", Token))!.Value.Span).ShouldBe("new");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3_000_000)]
    public async Task A_stream_is_put_from_its_beginning_and_left_open(int bytes)
    {
        await using var at = await OpenAsync();
        var content = RandomNumberGenerator.GetBytes(bytes);
        using var stream = new MemoryStream(content) { Position = bytes / 2 };
        var sha256 = Convert.ToHexStringLower(SHA256.HashData(content));
        await at.Store.PutAsync("a/stream", stream, sha256, Token);
        await at.Store.PutAsync("a/stream", stream, sha256, Token);
        (await at.Store.GetAsync("a/stream", Token))!.Value.Span.SequenceEqual(content).ShouldBeTrue();
    }

    [Theory]
    [InlineData(0, null, "0123456789")]
    [InlineData(3, null, "3456789")]
    [InlineData(3, 4L, "3456")]
    [InlineData(8, 100L, "89")]
    [InlineData(10, null, "")]
    [InlineData(50, 5L, "")]
    [InlineData(2, 0L, "")]
    [InlineData(2, long.MaxValue, "23456789")]
    public async Task A_range_is_cut_at_the_objects_end(long offset, long? length, string expected)
    {
        await using var at = await OpenAsync();
        await at.Store.PutAsync("range", "0123456789"u8.ToArray(), Token);
        await using var stream = await at.Store.OpenAsync("range", offset, length, Token);
        using var reader = new StreamReader(stream!);
        (await reader.ReadToEndAsync(Token)).ShouldBe(expected);
    }

    [Fact]
    public async Task Lists_are_in_ordinal_order_of_whole_keys_and_a_prefix_may_end_anywhere()
    {
        await using var at = await OpenAsync();
        string[] keys = ["w/a-b", "w/a/x", "w/a/y/z", "w/a0", "w/b", "w2/c", "x"];
        foreach (var key in keys.Reverse()) await at.Store.PutAsync(key, Encoding.UTF8.GetBytes(key), Token);
        (await Keys(at.Store, "")).ShouldBe(keys);
        (await Keys(at.Store, "w/")).ShouldBe(keys[..5]);
        (await Keys(at.Store, "w/a")).ShouldBe(keys[..4]);
        (await Keys(at.Store, "w")).ShouldBe(keys[..6]);
        (await at.Store.ListFoldersAsync("", Token).ToListAsync()).ShouldBe(["w/", "w2/"]);
        (await at.Store.ListFoldersAsync("w/", Token).ToListAsync()).ShouldBe(["a/"]);
        (await at.Store.ListAsync("w/b", Token).ToListAsync()).ShouldHaveSingleItem().Bytes.ShouldBe(3);
    }

    [Fact]
    public async Task A_list_of_more_than_one_page_is_complete()
    {
        await using var at = await OpenAsync();
        var keys = Enumerable.Range(0, 1205).Select(n => $"page/{n:D5}").ToList();
        await Parallel.ForEachAsync(keys, Token, async (key, token) => await at.Store.PutAsync(key, "x"u8.ToArray(), token));
        (await Keys(at.Store, "page/")).ShouldBe(keys);
    }

    [Fact]
    public async Task Of_eight_racing_writers_one_makes_the_object_and_all_others_are_told_so()
    {
        await using var at = await OpenAsync();
        for (var round = 0; round < 10; round++)
        {
            var key = $"race/{round}";
            var won = await Task.WhenAll(Enumerable.Range(0, 8).Select(n => Task.Run(async () => await at.Store.PutIfAbsentAsync(key, new[] { (byte)n }, Token), Token)));
            won.Count(w => w).ShouldBe(1);
            (await at.Store.GetAsync(key, Token))!.Value.ToArray().ShouldBe([(byte)Array.IndexOf(won, true)]);
        }
    }

    [Fact]
    public async Task A_large_file_goes_up_in_parts_and_reads_back_whole()
    {
        await using var at = await OpenAsync();
        var file = Path.GetTempFileName();
        try
        {
            var content = new byte[S3Store.PartBytes * 2 + 12_345];
            new Random(1).NextBytes(content);
            await File.WriteAllBytesAsync(file, content, Token);
            await at.Store.PutFileAsync("big", file, Token);
            (await at.Store.SizeAsync("big", Token)).ShouldBe(content.Length);
            await at.Store.CopyAsync("big", "copy/big", Token);
            await using var stream = await at.Store.OpenAsync("copy/big", 0, null, Token);
            (await SHA256.HashDataAsync(stream!, Token)).ShouldBe(SHA256.HashData(content));
            await File.WriteAllBytesAsync(file, content[..77], Token);
            await at.Store.PutFileAsync("big", file, Token);
            (await at.Store.GetAsync("big", Token))!.Value.ToArray().ShouldBe(content[..77]);
            (await at.Store.SizeAsync("copy/big", Token)).ShouldBe(content.Length);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [InlineData("../x")]
    [InlineData("a/../../x")]
    [InlineData("/etc/passwd")]
    [InlineData("a//b")]
    [InlineData("a/")]
    [InlineData("")]
    [InlineData(".tmp/x")]
    [InlineData("a\\b")]
    [InlineData("a/\0")]
    public async Task A_key_that_could_leave_the_lake_is_refused(string key)
    {
        await using var at = await OpenAsync();
        (await Should.ThrowAsync<LakeException>(async () => await at.Store.PutAsync(key, "x"u8.ToArray(), Token))).Code.ShouldBe("lake.bad_key");
        (await Should.ThrowAsync<LakeException>(async () => await at.Store.GetAsync(key, Token))).Code.ShouldBe("lake.bad_key");
    }

    [Fact]
    public async Task A_damaged_document_is_an_error_that_names_it()
    {
        await using var at = await OpenAsync();
        await at.Store.PutAsync("catalog/tables.json", "{\"version\":1,"u8.ToArray(), Token);
        var error = await Should.ThrowAsync<LakeException>(async () =>
            await at.Store.GetJsonAsync("catalog/tables.json", LeanPipe.Contracts.ContractsJson.Default.Catalog, Token));
        error.Code.ShouldBe("lake.corrupt");
        error.Message.ShouldContain("'catalog/tables.json'");
        error.Message.ShouldContain("Catalog");
    }

    protected static async Task<List<string>> Keys(IObjectStore store, string prefix) => (await store.ListAsync(prefix, Token).ToListAsync()).ConvertAll(i => i.Key);
}
