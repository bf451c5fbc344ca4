using LeanPipe.Lake;

namespace LeanPipe.Benchmarks;

/// <summary>An S3 lake at LEANPIPE_TEST_S3 (keys in …_KEY and …_SECRET), a prefix of its own for each case.</summary>
static class S3Lake
{
    const string Bucket = "leanpipe-benchmark";

    static readonly LakeOptions? Options = Environment.GetEnvironmentVariable("LEANPIPE_TEST_S3") is { Length: > 0 } endpoint
        ? new LakeOptions
        {
            Root = $"s3://{Bucket}",
            Endpoint = new(endpoint),
            AccessKey = Environment.GetEnvironmentVariable("LEANPIPE_TEST_S3_KEY"),
            SecretKey = Environment.GetEnvironmentVariable("LEANPIPE_TEST_S3_SECRET"),
        }
        : null;

    public static bool IsThere => Options is not null;

    public static async Task<LakeOptions> NewAsync()
    {
        var root = Options ?? throw new InvalidOperationException("LEANPIPE_TEST_S3 names no S3 endpoint.");
        using var client = S3Client.Open(root, retries: 3);
        await client.PutBucketAsync(Bucket);
        return root with { Root = $"{root.Root}/{Guid.NewGuid():N}" };
    }

    public static async Task DeleteAsync(LakeOptions lake)
    {
        var store = ObjectStores.Open(lake);
        var keys = new List<string>();
        await foreach (var item in store.ListAsync("", default)) keys.Add(item.Key);
        foreach (var key in keys) await store.DeleteAsync(key, default);
        (store as IDisposable)?.Dispose();
    }
}
