using Amazon.Runtime;
using Amazon.Runtime.Internal;

namespace LeanPipe.Lake;

/// <summary>Gives the signer the checksum that came with a put, so that the SDK does not read everything once more to make it. It stands between marshalling and signing.</summary>
/// <remarks>The signature covers the checksum: a store that gets other bytes refuses them.</remarks>
sealed class S3KnownChecksum : PipelineHandler
{
    /// <summary>Of the request's body, in lower-case hexadecimal. The signer drops a header that it has not made, so it is handed on.</summary>
    public const string Header = "x-amz-content-sha256";

    public override Task<T> InvokeAsync<T>(IExecutionContext executionContext)
    {
        var request = executionContext.RequestContext.Request;
        if (request.Headers.TryGetValue(Header, out var sha256)) request.PrecomputedContentSha256 = sha256;
        return base.InvokeAsync<T>(executionContext);
    }
}
