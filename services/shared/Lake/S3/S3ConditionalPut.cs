using System.Net;
using Amazon.S3;
using Amazon.S3.Model;

namespace LeanPipe.Lake;

/// <summary>PUT with <c>If-None-Match: *</c>, exactly: true if and only if the object that is there now was made by this call.</summary>
/// <remarks>
/// 412 says that somebody made it first, which may have been this very call: an answer was lost and we, or the HTTP handler, which repeats a request by itself when a
/// connection closes without an answer, sent it again. So every call marks its object with an id of its own, and after a 412 the mark decides. 409 is AWS's word for a
/// race that it did not decide: the put is repeated. A clock that is off is set right by the SDK when it repeats a call, which it does not do here; looking at the object does it.
/// </remarks>
/// <param name="client">Repeats nothing by itself: it must be known whether an earlier try may have won.</param>
/// <param name="looking">For looking at the object.</param>
sealed class S3ConditionalPut(AmazonS3Client client, AmazonS3Client looking, Func<PutObjectRequest> make)
{
    const int Tries = 5;

    readonly S3Mark mark = new();

    public async Task<bool> RunAsync(CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var request = make();
            request.IfNoneMatch = "*";
            mark.PutOn(request.Metadata);
            try
            {
                await client.PutObjectAsync(request, cancellationToken);
                return true;
            }
            catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.PreconditionFailed)
            {
                if (await mark.IsOnAsync(looking, request.BucketName, request.Key, cancellationToken) is { } ours) return ours;
                // Deleted in between: there is none again. The bound is for a store that says both for ever.
                if (attempt >= Tries) throw;
            }
            catch (AmazonS3Exception e) when (attempt < Tries && e.ErrorCode == S3Errors.ClockIsOff)
            {
                _ = await mark.IsOnAsync(looking, request.BucketName, request.Key, cancellationToken);
            }
            catch (Exception e) when (attempt < Tries && !cancellationToken.IsCancellationRequested && MayBeRepeated(e))
            {
                await Task.Delay(TimeSpan.FromMilliseconds((50 << attempt) + Random.Shared.Next(50)), cancellationToken);
            }
        }
    }

    static bool MayBeRepeated(Exception e) => e is AmazonS3Exception { StatusCode: HttpStatusCode.Conflict } || S3Errors.MayHaveHappened(e);
}
