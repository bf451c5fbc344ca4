using LeanPipe.DaprWire;

namespace Dapr.Workflow.Grpc;

/// <summary>A call to the sidecar ended with a gRPC status other than OK, or did not reach it.</summary>
/// <remarks>
/// Internal on purpose: the official client throws <c>Grpc.Core.RpcException</c> here, so portable code can only catch
/// <see cref="Exception"/>. The message has that type's form, so that a filter on its text holds under both.
/// </remarks>
sealed class SidecarCallException(GrpcStatusCode status, string detail, Exception? cause = null)
    : Exception($"Status(StatusCode=\"{status}\", Detail=\"{detail}\")", cause)
{
    public GrpcStatusCode Status { get; } = status;

    public string Detail { get; } = detail;

    /// <summary>The sidecar may answer the same call if it is asked again.</summary>
    public bool IsTransient => Status is GrpcStatusCode.Unavailable or GrpcStatusCode.DeadlineExceeded;
}
