using System.Net;
using Amazon.Runtime;
using Amazon.S3;

namespace LeanPipe.Lake;

/// <summary>Turns what the SDK throws into what happened, where, whether to try again, and what to check.</summary>
static class S3Errors
{
    public const string NoSuchUpload = "NoSuchUpload";
    public const string ClockIsOff = "RequestTimeTooSkewed";

    public static bool IsMissing(AmazonS3Exception e) => e is { StatusCode: HttpStatusCode.NotFound, ErrorCode: not "NoSuchBucket" };

    /// <summary>The service may have done it although we were not told: no answer, or an answer from in front of it.</summary>
    public static bool MayHaveHappened(Exception e) => e switch
    {
        AmazonServiceException { StatusCode: HttpStatusCode.NotImplemented } => false,
        AmazonServiceException service => (int)service.StatusCode is 0 or >= 500,
        _ => true,
    };

    public static LakeException From(Exception e, string what, string where)
    {
        if (e is LakeException lake) return lake;
        if (e is AmazonS3Exception s3) return FromAnswer(s3, $"Cannot {what} {where}: ");
        if (e is AmazonClientException && e.InnerException is null)
        {
            return new("lake.s3_client", $"Cannot {what} {where}: {e.Message} Check the credentials (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY) and the region.", inner: e);
        }
        var cause = e.GetBaseException();
        var said = cause is OperationCanceledException or TimeoutException ? "no answer in time." : $"{cause.Message.TrimEnd('.')}.";
        return new("lake.unreachable", $"Cannot {what} {where}: {said} Check that {LakeOptions.EndpointVariable} is reachable from here.", isTransient: true, inner: e);
    }

    static LakeException FromAnswer(AmazonS3Exception e, string head)
    {
        var answer = $"the store answered {(int)e.StatusCode} {e.ErrorCode}";
        return e.ErrorCode switch
        {
            "NoSuchBucket" => New("lake.no_bucket", "the bucket does not exist. Make it, or correct the lake's root."),
            "NoSuchKey" or "NotFound" => New("lake.missing", "the object does not exist."),
            "InvalidAccessKeyId" or "SignatureDoesNotMatch" or "ExpiredToken" or "InvalidToken" =>
                New("lake.denied", $"{answer}. Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN and the region."),
            ClockIsOff => New("lake.clock", $"{answer}. This machine's clock is off; correct it."),
            "AccessDenied" => New("lake.denied", $"{answer}. The credentials need GetObject, PutObject, DeleteObject and ListBucket on the bucket and prefix."),
            NoSuchUpload => New("lake.busy", $"{answer}. Somebody ended the upload, or a rule of the bucket for unfinished ones; begun anew, it may succeed.", true),
            "NotImplemented" => New("lake.unsupported", $"{answer}. The store lacks an operation that the lake needs; the store probe tells which."),
            _ when e.StatusCode is HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized =>
                New("lake.denied", $"{answer}. Check the credentials and their rights on the bucket and prefix."),
            "SlowDown" or "ServiceUnavailable" or "RequestTimeout" or "InternalError" or "OperationAborted" or "ConditionalRequestConflict" =>
                New("lake.busy", $"{answer}. It is overloaded or restarting; the call may succeed later.", true),
            _ when (int)e.StatusCode is 0 or 408 or 409 or 429 or >= 500 => New("lake.busy", $"{answer}. The call may succeed later.", true),
            _ => New("lake.refused", $"{answer}: {e.Message}"),
        };

        LakeException New(string code, string said, bool transient = false) => new(code, head + said, transient, e);
    }
}
