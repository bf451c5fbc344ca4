using System.Net;
using Amazon.S3;
using Amazon.S3.Model;

namespace LeanPipe.Lake;

/// <summary>PUT with <c>If-None-Match: *</c>, exactly: true if and only if the object that is there now was made by this call.</summary>
/// <remarks>
/// 412 says that somebody made it first, which may have been an earlier try of this call whose answer was lost. So every call marks its object with an id of its own,
/// and after a lost answer the mark decides. 409 is AWS's word for a race that it did not decide: the put is repeated.
/// </remarks>
sealed class S3ConditionalPut(AmazonS3Client client, Func<PutObjectRequest> make)
{
    const string Mark = "x-amz-meta-leanpipe-put";
    const int Tries = 5;

    readonly string id = Guid.NewGuid().ToString("N");

    public async Task<bool> RunAsync(CancellationToken cancellationToken)
    {
        var answerLost = false;
        for (var attempt = 1; ; attempt++)
        {
            var request = make();
            request.IfNoneMatch = "*";
            request.Metadata[Mark] = id;
            try
            {
                await client.PutObjectAsync(request, cancellationToken);
                return true;
            }
            catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.PreconditionFailed)
            {
                return answerLost && await IsOurs(request, cancellationToken);
            }
            catch (Exception e) when (attempt < Tries && !cancellationToken.IsCancellationRequested &&
                (S3Errors.IsAmbiguous(e) || e is AmazonS3Exception { StatusCode: HttpStatusCode.Conflict }))
            {
                answerLost |= S3Errors.IsAmbiguous(e);
                await Task.Delay(TimeSpan.FromMilliseconds((50 << attempt) + Random.Shared.Next(50)), cancellationToken);
            }
        }
    }

    async Task<bool> IsOurs(PutObjectRequest request, CancellationToken cancellationToken)
    {
        var found = await client.GetObjectMetadataAsync(new() { BucketName = request.BucketName, Key = request.Key }, cancellationToken);
        return found.Metadata[Mark] == id;
    }
}
