namespace LeanPipe.Sidecar;

/// <summary>One more app beside the main one: a gRPC port and workflows of its own, in the same state.</summary>
/// <param name="AppId">Letters, digits, '-', '_' and '.'; what <c>TargetAppId</c> names.</param>
/// <param name="GrpcPort">HTTP/2 without TLS. 0 = any free port; see <see cref="SidecarEndpoints.GrpcPortOf"/>.</param>
public sealed record SidecarAppOptions(string AppId, int GrpcPort = 0);
