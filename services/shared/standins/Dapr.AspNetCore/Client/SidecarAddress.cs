using Microsoft.Extensions.Configuration;

namespace Dapr.Client;

/// <summary>Where the sidecar's HTTP API is: every name is a configuration key first and an environment variable second.</summary>
static class SidecarAddress
{
    const int DefaultHttpPort = 3500;

    public static Uri Http(IConfiguration? configuration)
    {
        if (Setting(configuration, "DAPR_HTTP_ENDPOINT") is { } endpoint)
        {
            return Parse(endpoint, "DAPR_HTTP_ENDPOINT");
        }

        var port = Setting(configuration, "DAPR_HTTP_PORT") ?? $"{DefaultHttpPort}";
        return Parse($"http://127.0.0.1:{port}", "DAPR_HTTP_PORT");
    }

    public static string? ApiToken(IConfiguration? configuration) => Setting(configuration, "DAPR_API_TOKEN");

    /// <exception cref="ArgumentException">The text is not an absolute http or https address.</exception>
    public static Uri Parse(string endpoint, string from) =>
        Uri.TryCreate(endpoint, UriKind.Absolute, out var uri) && (uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeHttps)
            ? uri
            : throw new ArgumentException($"{from} is '{endpoint}', expected an address such as http://127.0.0.1:{DefaultHttpPort}.");

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
