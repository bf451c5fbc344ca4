using LeanPipe.Lake;

namespace LeanPipe.Integration.Lake;

/// <summary>A store of its own for one test, gone afterwards.</summary>
public sealed class TestStore(IObjectStore store, Func<Task> remove) : IAsyncDisposable
{
    const string Bucket = "leanpipe-lake-tests";

    // The bucket is made once: a store may refuse to make one that is being made.
    static readonly Lock Making = new();
    static Task? _made;

    public IObjectStore Store { get; } = store;

    public static TestStore Folder()
    {
        var folder = Directory.CreateTempSubdirectory("leanpipe-lake-");
        return new(ObjectStores.Open(new() { Root = folder.FullName }), () =>
        {
            folder.Delete(recursive: true);
            return Task.CompletedTask;
        });
    }

    /// <summary>A prefix of the shared test bucket; skips without LEANPIPE_TEST_S3, fails in CI.</summary>
    public static async Task<TestStore> S3Async()
    {
        var options = await S3OptionsAsync();
        var store = ObjectStores.Open(options);
        return new(store, async () =>
        {
            var keys = new List<string>();
            await foreach (var item in store.ListAsync("", CancellationToken.None)) keys.Add(item.Key);
            await Parallel.ForEachAsync(keys, async (key, token) => await store.DeleteAsync(key, token));
        });
    }

    public static async Task<LakeOptions> S3OptionsAsync()
    {
        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable("LEANPIPE_TEST_S3")))
        {
            if (Environment.GetEnvironmentVariable("CI") == "true") throw new InvalidOperationException("LEANPIPE_TEST_S3 is not set, and CI must not skip.");
            Assert.Skip("LEANPIPE_TEST_S3 names no S3 endpoint.");
        }
        Task made;
        lock (Making) made = _made ??= MakeAsync();
        await made;
        return Options();
    }

    static LakeOptions Options() => new()
    {
        Root = $"s3://{Bucket}/{Guid.NewGuid():N}/lake",
        Endpoint = new(Environment.GetEnvironmentVariable("LEANPIPE_TEST_S3")!),
        AccessKey = Environment.GetEnvironmentVariable("LEANPIPE_TEST_S3_KEY"),
        SecretKey = Environment.GetEnvironmentVariable("LEANPIPE_TEST_S3_SECRET"),
    };

    static async Task MakeAsync()
    {
        using var client = S3Client.Open(Options(), retries: 3);
        await client.PutBucketAsync(Bucket);
    }

    /// <summary>Whatever the test did, every log that it leaves keeps the protocol.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await DeltaLinter.CheckAllAsync(Store);
        }
        finally
        {
            await remove();
        }
        (Store as IDisposable)?.Dispose();
    }
}
