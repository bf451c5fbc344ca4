using Microsoft.Extensions.Configuration;

namespace Dapr.Workflow.Grpc;

/// <summary>Where the sidecar's gRPC API is: every name is a configuration key first and an environment variable second.</summary>
sealed record SidecarAddress(Uri Endpoint, string? ApiToken)
{
    const int DefaultGrpcPort = 50001;

    /// <exception cref="ArgumentException">The endpoint is not an absolute http or https address.</exception>
    public static SidecarAddress From(IConfiguration? configuration)
    {
        var (name, text) = Setting(configuration, "DAPR_GRPC_ENDPOINT") is { } endpoint
            ? ("DAPR_GRPC_ENDPOINT", endpoint)
            : ("DAPR_GRPC_PORT", $"http://127.0.0.1:{Setting(configuration, "DAPR_GRPC_PORT") ?? $"{DefaultGrpcPort}"}");
        return Uri.TryCreate(text, UriKind.Absolute, out var uri) && (uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeHttps)
            ? new SidecarAddress(uri, Setting(configuration, "DAPR_API_TOKEN"))
            : throw new ArgumentException($"{name} gives '{text}', expected an address such as http://127.0.0.1:{DefaultGrpcPort}.");
    }

    static string? Setting(IConfiguration? configuration, string name)
    {
        var value = configuration?[name];
        if (string.IsNullOrWhiteSpace(value))
        {
            value = Environment.GetEnvironmentVariable(name);
        }

        return string.IsNullOrWhiteSpace(value) ? null : value.Trim();
    }
}
