using System.Net;
using Amazon.S3;
using Amazon.S3.Model;

namespace LeanPipe.Lake;

/// <summary>PUT with <c>If-None-Match: *</c>, exactly: true if and only if the object that is there now was made by this call.</summary>
/// <remarks>
/// 412 says that somebody made it first, which may have been this very call: an answer was lost and we, or the HTTP handler, which repeats a request by itself when a
/// connection closes without an answer, sent it again. So every call marks its object with an id of its own, and after a 412 the mark decides. 409 is AWS's word for a
/// race that it did not decide: the put is repeated.
/// </remarks>
sealed class S3ConditionalPut(AmazonS3Client client, Func<PutObjectRequest> make)
{
    const string Mark = "x-amz-meta-leanpipe-put";
    const int Tries = 5;

    readonly string id = Guid.NewGuid().ToString("N");

    public async Task<bool> RunAsync(CancellationToken cancellationToken)
    {
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
                if (await IsOurs(request, cancellationToken) is { } ours) return ours;
                // Deleted in between: there is none again. The bound is for a store that says both for ever.
                if (attempt >= Tries) throw;
            }
            catch (Exception e) when (attempt < Tries && !cancellationToken.IsCancellationRequested && MayBeRepeated(e))
            {
                await Task.Delay(TimeSpan.FromMilliseconds((50 << attempt) + Random.Shared.Next(50)), cancellationToken);
            }
        }
    }

    static bool MayBeRepeated(Exception e) => e is AmazonS3Exception { StatusCode: HttpStatusCode.Conflict } || S3Errors.MayHaveHappened(e);

    async Task<bool?> IsOurs(PutObjectRequest request, CancellationToken cancellationToken)
    {
        try
        {
            var found = await client.GetObjectMetadataAsync(new() { BucketName = request.BucketName, Key = request.Key }, cancellationToken);
            return found.Metadata[Mark] == id;
        }
        catch (AmazonS3Exception e) when (S3Errors.IsMissing(e))
        {
            return null;
        }
    }
}
