using System.Text.Json;
using Microsoft.Extensions.Configuration;

namespace Dapr.Client;

/// <summary>Makes a <see cref="DaprClient"/>; what is not set here comes from configuration or the environment (README.md).</summary>
public sealed class DaprClientBuilder
{
    Uri _httpEndpoint;
    string? _apiToken;
    TimeSpan? _timeout;
    JsonSerializerOptions _json = new(JsonSerializerDefaults.Web);

    public DaprClientBuilder()
        : this(configuration: null)
    {
    }

    internal DaprClientBuilder(IConfiguration? configuration)
    {
        _httpEndpoint = SidecarAddress.Http(configuration);
        _apiToken = SidecarAddress.ApiToken(configuration);
    }

    /// <param name="httpEndpoint">An absolute address, <c>http://host:port</c>.</param>
    public DaprClientBuilder UseHttpEndpoint(string httpEndpoint)
    {
        ArgumentException.ThrowIfNullOrEmpty(httpEndpoint);
        _httpEndpoint = SidecarAddress.Parse(httpEndpoint, nameof(httpEndpoint));
        return this;
    }

    /// <summary>Checked and ignored: every call of this client uses the HTTP API.</summary>
    public DaprClientBuilder UseGrpcEndpoint(string grpcEndpoint)
    {
        ArgumentException.ThrowIfNullOrEmpty(grpcEndpoint);
        SidecarAddress.Parse(grpcEndpoint, nameof(grpcEndpoint));
        return this;
    }

    public DaprClientBuilder UseJsonSerializationOptions(JsonSerializerOptions options)
    {
        _json = options;
        return this;
    }

    /// <param name="apiToken">Sent as header <c>dapr-api-token</c>; blank sends none.</param>
    public DaprClientBuilder UseDaprApiToken(string apiToken)
    {
        ArgumentNullException.ThrowIfNull(apiToken);
        _apiToken = string.IsNullOrWhiteSpace(apiToken) ? null : apiToken;
        return this;
    }

    /// <param name="timeout">The longest a call may take; 100 s unless set.</param>
    public DaprClientBuilder UseTimeout(TimeSpan timeout)
    {
        _timeout = timeout;
        return this;
    }

    public DaprClient Build()
    {
        var http = new HttpClient(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(5) })
        {
            BaseAddress = _httpEndpoint,
        };
        if (_timeout is { } timeout)
        {
            http.Timeout = timeout;
        }

        if (_apiToken is not null)
        {
            http.DefaultRequestHeaders.Add("dapr-api-token", _apiToken);
        }

        return new DaprHttpClient(http, _json);
    }
}
