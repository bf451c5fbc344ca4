using System.Net;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Amazon.S3;
using Amazon.S3.Model;

namespace LeanPipe.Lake;

/// <summary>A lake in an S3 bucket, under a prefix. Puts are atomic and consistent as S3 (and Ceph, MinIO, Garage, …) promises; the store probe checks it.</summary>
/// <remarks>The caller's cancellation stays a cancellation; a request that takes too long is a transient <see cref="LakeException"/>.</remarks>
sealed class S3Store : IObjectStore, IDisposable
{
    /// <summary>Files above it go up in parts of at least this size: small enough to repeat one after a failure.</summary>
    public const long PartBytes = 16L * 1024 * 1024;

    /// <summary>Files up to it, whose checksum is known, are first tried at once: a chunk of the size that steps have by themselves.</summary>
    public const long AtOnceBytes = 128L * 1024 * 1024;

    readonly AmazonS3Client client;
    readonly AmazonS3Client once;
    readonly string bucket;
    readonly string prefix;
    readonly bool plainHttp;

    public S3Store(LakeOptions options)
    {
        var root = new Uri(options.Root);
        bucket = root.Host;
        var path = root.AbsolutePath.Trim('/');
        prefix = path.Length == 0 ? "" : $"{path}/";
        plainHttp = options.Endpoint?.Scheme == Uri.UriSchemeHttp;
        Root = new Uri(path.Length == 0 ? $"s3://{bucket}" : $"s3://{bucket}/{path}");
        client = S3Client.Open(options, retries: 3);
        // A conditional put must know whether an earlier try may have won, so nobody repeats it behind its back.
        once = S3Client.Open(options, retries: 0);
    }

    public Uri Root { get; }

    public string? LocalPath(string key) => null;

    public void Dispose()
    {
        client.Dispose();
        once.Dispose();
    }

    public async ValueTask<long?> SizeAsync(string key, CancellationToken cancellationToken) => await Call(key, "look at", cancellationToken, async token =>
    {
        try
        {
            var found = await client.GetObjectMetadataAsync(new() { BucketName = bucket, Key = Full(key) }, token);
            return found.ContentLength;
        }
        catch (AmazonS3Exception e) when (S3Errors.IsMissing(e))
        {
            return (long?)null;
        }
    });

    public async ValueTask<ReadOnlyMemory<byte>?> GetAsync(string key, CancellationToken cancellationToken)
    {
        // Not a range: of an object that is replaced while it reads one, a store may answer 409.
        await using var stream = await OpenAsync(key, new() { BucketName = bucket, Key = Full(key) }, cancellationToken);
        if (stream is null) return null;
        var bytes = new MemoryStream();
        await stream.CopyToAsync(bytes, cancellationToken);
        return bytes.GetBuffer().AsMemory(0, (int)bytes.Length);
    }

    public async ValueTask<Stream?> OpenAsync(string key, long offset, long? length, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        if (length is <= 0) return await SizeAsync(key, cancellationToken) is null ? null : Stream.Null;
        // Always a range, also for the whole: of a whole object that was put at once the SDK makes an MD5 on the way, which costs as much as everything else; whoever has
        // pinned an object compares its SHA-256.
        var last = length is { } n && n <= long.MaxValue - offset ? offset + n - 1 : long.MaxValue;
        return await OpenAsync(key, new() { BucketName = bucket, Key = Full(key), ByteRange = new(offset, last) }, cancellationToken);
    }

    Task<Stream?> OpenAsync(string key, GetObjectRequest request, CancellationToken cancellationToken) => Call<Stream?>(key, "read", cancellationToken, async token =>
    {
        try
        {
            var found = await client.GetObjectAsync(request, token);
            return new S3Body(found, Where(key));
        }
        catch (AmazonS3Exception e) when (S3Errors.IsMissing(e))
        {
            return null;
        }
        catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
        {
            // A range that begins at or behind the end holds nothing.
            return Stream.Null;
        }
    });

    public async ValueTask PutAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        await Call(key, "write", cancellationToken, token => client.PutObjectAsync(PutRequest(key, content), token));

    public ValueTask PutAsync(string key, Stream content, string sha256, CancellationToken cancellationToken) => PutAsync(client, key, content, sha256, cancellationToken);

    async ValueTask PutAsync(AmazonS3Client by, string key, Stream content, string sha256, CancellationToken cancellationToken) => await Call(key, "write", cancellationToken, token =>
    {
        content.Position = 0;
        var request = new PutObjectRequest
        {
            BucketName = bucket,
            Key = Full(key),
            InputStream = content,
            AutoCloseStream = false,
            UseChunkEncoding = false,
            ContentType = "application/octet-stream",
        };
        request.Headers[S3KnownChecksum.Header] = sha256;
        return by.PutObjectAsync(request, token);
    });

    public async ValueTask<bool> PutIfAbsentAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        var put = new S3ConditionalPut(once, client, () => PutRequest(key, content));
        return await Call(key, "write if absent", cancellationToken, put.RunAsync);
    }

    public async ValueTask PutFileAsync(string key, string path, CancellationToken cancellationToken)
    {
        var size = new FileInfo(path).Length;
        if (size > PartBytes)
        {
            var upload = new S3Upload(client, bucket, Full(key), path, size, PartBytes, plainHttp);
            await Call(key, "upload", cancellationToken, upload.RunAsync);
            return;
        }
        await Call(key, "upload", cancellationToken, token => client.PutObjectAsync(
            new() { BucketName = bucket, Key = Full(key), FilePath = path, UseChunkEncoding = !plainHttp, ContentType = "application/octet-stream" }, token));
    }

    /// <remarks>At once and with the checksum that is known, or it would be read twice more, and hashed; what fails on its way goes in parts, each of which is repeated by itself.</remarks>
    public async ValueTask PutFileAsync(string key, string path, string sha256, CancellationToken cancellationToken)
    {
        try
        {
            await using var content = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, useAsync: false);
            if (content.Length <= AtOnceBytes)
            {
                await PutAsync(content.Length > PartBytes ? once : client, key, content, sha256, cancellationToken);
                return;
            }
        }
        catch (LakeException e) when (e is { IsTransient: true } or { Code: "lake.clock" } && new FileInfo(path).Length > PartBytes)
        {
            // Over a slow line the whole may take longer than one request has; and only a client that repeats calls sets a clock right.
            _ = e;
        }
        await PutFileAsync(key, path, cancellationToken);
    }

    /// <remarks>Up to 5 GiB, the limit of S3's CopyObject; chunks are cut far below it.</remarks>
    public async ValueTask CopyAsync(string sourceKey, string targetKey, CancellationToken cancellationToken) =>
        await CopyAsync(
            targetKey, $"copy '{sourceKey}' to", new() { SourceBucket = bucket, SourceKey = Full(sourceKey), DestinationBucket = bucket, DestinationKey = Full(targetKey) }, cancellationToken);

    /// <remarks>A copy of the object onto itself, with the limit of <see cref="CopyAsync"/>.</remarks>
    public async ValueTask SetStorageClassAsync(string key, string storageClass, CancellationToken cancellationToken) =>
        await CopyAsync(
            key, $"set the storage class {storageClass} of", new()
            {
                SourceBucket = bucket,
                SourceKey = Full(key),
                DestinationBucket = bucket,
                DestinationKey = Full(key),
                StorageClass = new(storageClass),
                MetadataDirective = S3MetadataDirective.COPY,
            }, cancellationToken);

    public async IAsyncEnumerable<ListedObject> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var request = new ListObjectsV2Request { BucketName = bucket, Prefix = this.prefix + ObjectKey.RequirePrefix(prefix) };
        ListObjectsV2Response page;
        do
        {
            page = await ListAsync(prefix, request, cancellationToken);
            foreach (var item in page.S3Objects ?? [])
                if (!IsHidden(item.Key.AsSpan(this.prefix.Length))) yield return new(item.Key[this.prefix.Length..], item.Size ?? 0, new DateTimeOffset(item.LastModified?.ToUniversalTime() ?? DateTime.UnixEpoch), item.StorageClass?.Value);
            request.ContinuationToken = page.NextContinuationToken;
        }
        while (page.IsTruncated == true);
    }

    public async IAsyncEnumerable<string> ListFoldersAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var full = this.prefix + ObjectKey.RequirePrefix(prefix);
        var request = new ListObjectsV2Request { BucketName = bucket, Prefix = full, Delimiter = "/" };
        ListObjectsV2Response page;
        do
        {
            page = await ListAsync(prefix, request, cancellationToken);
            foreach (var folder in page.CommonPrefixes ?? []) yield return folder[full.Length..];
            request.ContinuationToken = page.NextContinuationToken;
        }
        while (page.IsTruncated == true);
    }

    public async ValueTask DeleteAsync(string key, CancellationToken cancellationToken) => await Call(key, "delete", cancellationToken, async token =>
    {
        try
        {
            await client.DeleteObjectAsync(new() { BucketName = bucket, Key = Full(key) }, token);
        }
        catch (AmazonS3Exception e) when (S3Errors.IsMissing(e))
        {
            return false;
        }
        return true;
    });

    /// <summary>One page. An answer without a word of whether it is the last is none: taken for an empty list, it would say that nothing is there.</summary>
    Task<ListObjectsV2Response> ListAsync(string prefix, ListObjectsV2Request request, CancellationToken cancellationToken) => Call(prefix, "list", cancellationToken, async token =>
        await client.ListObjectsV2Async(request, token) is { IsTruncated: not null } page ? page : throw new EndOfStreamException("the answer is no list"));

    Task CopyAsync(string key, string what, CopyObjectRequest request, CancellationToken cancellationToken) => Call(key, what, cancellationToken, async token =>
        await client.CopyObjectAsync(request, token) is { ETag.Length: > 0 } copied ? copied : throw new EndOfStreamException("the answer does not say that there is a copy"));

    /// <summary>Objects that stand for a folder, as consoles make them, and what is hidden as in a folder: no key is like that, and nobody could read or delete it by one.</summary>
    static bool IsHidden(ReadOnlySpan<char> key)
    {
        foreach (var part in key.Split('/'))
            if (key[part] is "" or ['.', ..]) return true;
        return false;
    }

    string Full(string key) => prefix + ObjectKey.Require(key);

    string Where(string key) => $"'{prefix}{key}' in bucket '{bucket}'";

    PutObjectRequest PutRequest(string key, ReadOnlyMemory<byte> content) => new()
    {
        BucketName = bucket,
        Key = Full(key),
        InputStream = MemoryMarshal.TryGetArray(content, out var bytes) ? new MemoryStream(bytes.Array!, bytes.Offset, bytes.Count, writable: false) : new MemoryStream(content.ToArray(), writable: false),
        UseChunkEncoding = !plainHttp,
        ContentType = key.EndsWith(".json", StringComparison.Ordinal) ? "application/json" : "application/octet-stream",
    };

    async Task<T> Call<T>(string key, string what, CancellationToken cancellationToken, Func<CancellationToken, Task<T>> request)
    {
        try
        {
            return await request(cancellationToken);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested && e is not LakeException { Code: "lake.bad_key" })
        {
            throw S3Errors.From(e, what, Where(key));
        }
    }
}
