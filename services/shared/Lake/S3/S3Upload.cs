using Amazon.S3;
using Amazon.S3.Model;

namespace LeanPipe.Lake;

/// <summary>One file in parts. The object appears whole when the last call is answered; a failure aborts the upload, so that its parts cost nothing.</summary>
/// <remarks>
/// A store that has lost its answer to the last call may say, asked again, that there is no such upload. So each marks its object with an id of its own (<see cref="S3Mark"/>), and then the mark decides.
/// </remarks>
sealed class S3Upload(AmazonS3Client client, string bucket, string key, string path, long size, long partBytes, bool plainHttp)
{
    /// <summary>Bounds memory and sockets; four fill a gigabit line.</summary>
    const int AtOnce = 4;

    /// <summary>S3's limit on parts; the parts grow for files that would need more.</summary>
    const int MaxParts = 10_000;

    readonly S3Mark mark = new();

    public async Task<bool> RunAsync(CancellationToken cancellationToken)
    {
        var part = Math.Max(partBytes, (size + MaxParts - 1) / MaxParts);
        var parts = (int)((size + part - 1) / part);
        var start = new InitiateMultipartUploadRequest { BucketName = bucket, Key = key, ContentType = "application/octet-stream" };
        mark.PutOn(start.Metadata);
        var started = await client.InitiateMultipartUploadAsync(start, cancellationToken);
        try
        {
            var tags = new PartETag[parts];
            await Parallel.ForAsync(0, parts, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken }, async (index, token) =>
            {
                var answer = await client.UploadPartAsync(
                    new()
                    {
                        BucketName = bucket,
                        Key = key,
                        UploadId = started.UploadId,
                        PartNumber = index + 1,
                        FilePath = path,
                        FilePosition = index * part,
                        PartSize = Math.Min(part, size - index * part),
                        UseChunkEncoding = !plainHttp,
                    }, token);
                tags[index] = new(index + 1, answer.ETag);
            });
            await CompleteAsync(started.UploadId, tags, cancellationToken);
            return true;
        }
        catch
        {
            await Abort(started.UploadId);
            throw;
        }
    }

    async Task CompleteAsync(string uploadId, PartETag[] tags, CancellationToken cancellationToken)
    {
        try
        {
            await client.CompleteMultipartUploadAsync(new() { BucketName = bucket, Key = key, UploadId = uploadId, PartETags = [.. tags] }, cancellationToken);
        }
        catch (AmazonS3Exception e) when (e.ErrorCode == S3Errors.NoSuchUpload)
        {
            if (await mark.IsOnAsync(client, bucket, key, cancellationToken) is not true) throw;
        }
    }

    async Task Abort(string uploadId)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        try
        {
            await client.AbortMultipartUploadAsync(new AbortMultipartUploadRequest { BucketName = bucket, Key = key, UploadId = uploadId }, patience.Token);
        }
        catch (Exception e) when (e is AmazonS3Exception or Amazon.Runtime.AmazonClientException or OperationCanceledException or HttpRequestException)
        {
            // What made the upload fail is the error to report; a bucket's lifecycle rule for unfinished uploads takes these parts.
            _ = e;
        }
    }
}
