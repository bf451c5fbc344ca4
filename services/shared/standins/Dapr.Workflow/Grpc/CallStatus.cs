using System.Net;
using System.Net.Http.Headers;
using LeanPipe.DaprWire;

namespace Dapr.Workflow.Grpc;

/// <summary>How a call ended, from the places where HTTP/2 can say so.</summary>
static class CallStatus
{
    // RFC 9113, section 7.
    const long NoError = 0;
    const long RefusedStream = 7;
    const long Cancel = 8;
    const long EnhanceYourCalm = 11;

    /// <summary>A trailers-only answer has its status among the headers; an answer without gRPC has an HTTP status only.</summary>
    public static void ThrowIfRefused(HttpResponseMessage response)
    {
        if (Read(response.Headers) is { Status: not GrpcStatusCode.Ok } early)
        {
            throw new SidecarCallException(early.Status, early.Message);
        }

        if (response.StatusCode != HttpStatusCode.OK)
        {
            throw new SidecarCallException(FromHttp(response.StatusCode), $"The answer is HTTP status {(int)response.StatusCode}, expected 200 with gRPC.");
        }
    }

    /// <summary>Call at the end of the body: the trailers are there only then.</summary>
    public static void ThrowIfFailed(HttpResponseMessage response)
    {
        var end = Read(response.TrailingHeaders) ?? Read(response.Headers)
            ?? (GrpcStatusCode.Unknown, "The call ended without a gRPC status: the sidecar was cut off, or this is not a sidecar.");
        if (end.Status != GrpcStatusCode.Ok)
        {
            throw new SidecarCallException(end.Status, end.Message);
        }
    }

    /// <summary>A connection that broke, or a stream that was reset, before the call had a status.</summary>
    public static SidecarCallException Broken(Exception e)
    {
        var status = Http2Error(e) switch
        {
            Cancel => GrpcStatusCode.Cancelled,
            EnhanceYourCalm => GrpcStatusCode.ResourceExhausted,
            NoError or RefusedStream or null => GrpcStatusCode.Unavailable,
            _ => GrpcStatusCode.Internal,
        };
        return new SidecarCallException(status, $"The connection to the sidecar broke: {e.Message}", e);
    }

    static (GrpcStatusCode Status, string Message)? Read(HttpResponseHeaders headers)
    {
        if (!headers.TryGetValues(GrpcHeaders.Status, out var values))
        {
            return null;
        }

        var status = int.TryParse(values.FirstOrDefault(), out var number) && Enum.IsDefined((GrpcStatusCode)number)
            ? (GrpcStatusCode)number
            : GrpcStatusCode.Unknown;
        var message = headers.TryGetValues(GrpcHeaders.Message, out var messages) ? messages.FirstOrDefault() : null;
        return (status, GrpcHeaders.DecodeMessage(message ?? string.Empty));
    }

    static long? Http2Error(Exception? e)
    {
        for (; e is not null; e = e.InnerException)
        {
            if (e is HttpProtocolException protocol)
            {
                return protocol.ErrorCode;
            }
        }

        return null;
    }

    // The mapping that gRPC publishes for answers that come from something in between.
    static GrpcStatusCode FromHttp(HttpStatusCode status) => status switch
    {
        HttpStatusCode.BadRequest => GrpcStatusCode.Internal,
        HttpStatusCode.Unauthorized => GrpcStatusCode.Unauthenticated,
        HttpStatusCode.Forbidden => GrpcStatusCode.PermissionDenied,
        HttpStatusCode.NotFound => GrpcStatusCode.Unimplemented,
        HttpStatusCode.TooManyRequests or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout =>
            GrpcStatusCode.Unavailable,
        _ => GrpcStatusCode.Unknown,
    };
}
