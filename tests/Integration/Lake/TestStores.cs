using LeanPipe.Lake;

namespace LeanPipe.Integration.Lake;

/// <summary>A store of its own for one test, gone afterwards.</summary>
public sealed class TestStore(IObjectStore store, Func<Task> remove) : IAsyncDisposable
{
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
        var endpoint = Environment.GetEnvironmentVariable("LEANPIPE_TEST_S3");
        if (string.IsNullOrEmpty(endpoint))
        {
            if (Environment.GetEnvironmentVariable("CI") == "true") throw new InvalidOperationException("LEANPIPE_TEST_S3 is not set, and CI must not skip.");
            Assert.Skip("LEANPIPE_TEST_S3 names no S3 endpoint.");
        }
        const string bucket = "leanpipe-lake-tests";
        var options = new LakeOptions
        {
            Root = $"s3://{bucket}/{Guid.NewGuid():N}/lake",
            Endpoint = new Uri(endpoint!),
            AccessKey = Environment.GetEnvironmentVariable("LEANPIPE_TEST_S3_KEY"),
            SecretKey = Environment.GetEnvironmentVariable("LEANPIPE_TEST_S3_SECRET"),
        };
        using var client = S3Client.Open(options, retries: 3);
        await client.PutBucketAsync(bucket);
        return options;
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
