using Amazon.S3;
using Amazon.S3.Model;

namespace LeanPipe.Lake;

/// <summary>An id of one call on the object that it makes: when an answer was lost, the object tells whether the call had succeeded.</summary>
sealed class S3Mark
{
    const string Header = "x-amz-meta-leanpipe-put";

    readonly string id = Guid.NewGuid().ToString("N");

    public void PutOn(MetadataCollection metadata) => metadata[Header] = id;

    /// <summary>Whether the object that is there now was made by this call; null when there is none.</summary>
    public async Task<bool?> IsOnAsync(IAmazonS3 client, string bucket, string key, CancellationToken cancellationToken)
    {
        try
        {
            var found = await client.GetObjectMetadataAsync(new() { BucketName = bucket, Key = key }, cancellationToken);
            return found.Metadata[Header] == id;
        }
        catch (AmazonS3Exception e) when (S3Errors.IsMissing(e))
        {
            return null;
        }
    }
}
