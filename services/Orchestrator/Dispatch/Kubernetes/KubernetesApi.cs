using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using LeanPipe.Contracts;

namespace LeanPipe.Orchestrator;

/// <summary>What the API server said: an object, or a Status that refuses.</summary>
/// <param name="Message">Of the Status; empty when the call succeeded.</param>
readonly record struct ApiAnswer(HttpStatusCode Code, JsonElement Body, string Message)
{
    public bool Succeeded => (int)Code is >= 200 and < 300;
}

/// <summary>The few calls that tasks need, over HTTP with the service account's token.</summary>
/// <remarks>
/// What passes by itself (429, 5xx, a dropped or silent connection, a token replaced meanwhile) is tried again here; everything else is the caller's to judge.
/// So every call must be harmless when made twice: a Job is created under a name that follows from its task, and found when it is there already.
/// </remarks>
sealed class KubernetesApi : IDisposable
{
    readonly KubernetesOptions _options;
    readonly TimeProvider _time;
    readonly HttpClient _http;
    readonly ILogger _log;

    public KubernetesApi(KubernetesOptions options, TimeProvider time, ILogger<KubernetesApi> log)
    {
        (_options, _time, _log) = (options, time, log);
        var handler = new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(10), PooledConnectionLifetime = TimeSpan.FromMinutes(10), AllowAutoRedirect = false };
        if (options.CaFile is { } file && options.Server.Scheme == Uri.UriSchemeHttps)
        {
            var chain = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            chain.CustomTrustStore.ImportFromPemFile(file);
            handler.SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = chain };
        }
        _http = new(handler) { BaseAddress = options.Server, Timeout = Timeout.InfiniteTimeSpan };
    }

    public Task<ApiAnswer> CreateJobAsync(JsonNode job, CancellationToken cancellation) => CallAsync(HttpMethod.Post, Jobs, job.ToJsonString(), cancellation);

    public Task<ApiAnswer> GetJobAsync(string name, CancellationToken cancellation) => CallAsync(HttpMethod.Get, $"{Jobs}/{name}", null, cancellation);

    /// <summary>With its pods. A Job that is gone already is as good.</summary>
    public Task<ApiAnswer> DeleteJobAsync(string name, CancellationToken cancellation) =>
        CallAsync(HttpMethod.Delete, $"{Jobs}/{name}?propagationPolicy=Background", null, cancellation);

    public Task<ApiAnswer> GetDeploymentAsync(string name, CancellationToken cancellation) =>
        CallAsync(HttpMethod.Get, $"/apis/apps/v1/namespaces/{_options.Namespace}/deployments/{name}", null, cancellation);

    public Task<ApiAnswer> ListAsync(string resource, string selector, CancellationToken cancellation) =>
        CallAsync(HttpMethod.Get, $"{Collection(resource)}?labelSelector={Uri.EscapeDataString(selector)}", null, cancellation);

    /// <summary>The last lines of a pod's only container; null when there is no log (any more).</summary>
    public async Task<string?> LogTailAsync(string pod, int lines, CancellationToken cancellation)
    {
        using var deadline = Within(_options.CallTimeout, cancellation);
        using var response = await SendAsync(HttpMethod.Get, $"{Collection("pods")}/{pod}/log?tailLines={lines}", null, deadline.Token);
        return response.IsSuccessStatusCode ? await response.Content.ReadAsStringAsync(deadline.Token) : null;
    }

    /// <summary>One event per line, from a version on, until the server ends the stream. Failing is the caller's to repeat: it knows from where.</summary>
    /// <param name="silence">A stream that says nothing for so long, not even a bookmark, counts as dropped.</param>
    public async IAsyncEnumerable<JsonElement> WatchAsync(
        string resource, string selector, string version, TimeSpan silence, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        var path = $"{Collection(resource)}?watch=1&allowWatchBookmarks=true&timeoutSeconds=290&labelSelector={Uri.EscapeDataString(selector)}&resourceVersion={Uri.EscapeDataString(version)}";
        using var opening = Within(_options.CallTimeout, cancellation);
        using var response = await SendAsync(HttpMethod.Get, path, null, opening.Token);
        if (!response.IsSuccessStatusCode)
        {
            var refused = await ReadAsync(response, opening.Token);
            throw new KubernetesException(refused.Code, refused.Message, RetryAfter(response));
        }
        await using var stream = await response.Content.ReadAsStreamAsync(opening.Token);
        using var reader = new StreamReader(stream, Encoding.UTF8);
        while (true)
        {
            using var idle = Within(silence, cancellation);
            if (await reader.ReadLineAsync(idle.Token) is not { } line) yield break;
            if (line.Length > 0) yield return JsonSerializer.Deserialize(line, KubernetesJson.Default.JsonElement);
        }
    }

    public void Dispose() => _http.Dispose();

    string Jobs => Collection("jobs");

    string Collection(string resource) => resource switch
    {
        "jobs" => $"/apis/batch/v1/namespaces/{_options.Namespace}/jobs",
        _ => $"/api/v1/namespaces/{_options.Namespace}/{resource}",
    };

    async Task<ApiAnswer> CallAsync(HttpMethod method, string path, string? body, CancellationToken cancellation)
    {
        var (began, pause) = (_time.GetTimestamp(), _options.FirstRetry);
        while (true)
        {
            TimeSpan? asked = null;
            string reason;
            try
            {
                using var deadline = Within(_options.CallTimeout, cancellation);
                using var response = await SendAsync(method, path, body, deadline.Token);
                var answer = await ReadAsync(response, deadline.Token);
                if (answer.Code is not (HttpStatusCode.TooManyRequests or HttpStatusCode.Unauthorized) && (int)answer.Code < 500) return answer;
                (asked, reason) = (RetryAfter(response), $"{(int)answer.Code} {answer.Message}");
            }
            catch (Exception e) when (e is HttpRequestException or IOException or JsonException || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
            {
                reason = e is OperationCanceledException ? $"no answer within {_options.CallTimeout}" : e.Message;
            }
            if (_time.GetElapsedTime(began) > _options.RetryFor)
                throw new LeanPipeException("kubernetes.unavailable", $"The API server did not take {method} {path} for {_options.RetryFor}: {reason}. Jobs that run go on; see that it is reachable and that the service account's role is in place.", isTransient: true);
            _log.ApiCallRepeated(method.Method, path, reason);
            await Task.Delay(asked ?? pause, _time, cancellation);
            pause = TimeSpan.FromTicks(Math.Min(pause.Ticks * 2, _options.LastRetry.Ticks));
        }
    }

    async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string? body, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(method, path);
        // Read for each call: the kubelet puts a new one there before the old one ends.
        if (File.Exists(_options.TokenFile)) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", (await File.ReadAllTextAsync(_options.TokenFile, cancellation)).Trim());
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        return await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
    }

    static async Task<ApiAnswer> ReadAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        var bytes = await response.Content.ReadAsByteArrayAsync(cancellation);
        if (response.IsSuccessStatusCode) return new(response.StatusCode, JsonSerializer.Deserialize(bytes, KubernetesJson.Default.JsonElement), "");
        try
        {
            return new(response.StatusCode, default, JsonSerializer.Deserialize(bytes, KubernetesJson.Default.JsonElement).Text("message"));
        }
        catch (JsonException)
        {
            // A proxy before the API server answers in its own way; the status code is all there is to go by.
            return new(response.StatusCode, default, response.ReasonPhrase ?? "");
        }
    }

    static TimeSpan? RetryAfter(HttpResponseMessage response) => response.Headers.RetryAfter?.Delta;

    Deadline Within(TimeSpan after, CancellationToken cancellation) => new(after, _time, cancellation);
}

/// <summary>A token that ends with another one, or after a time.</summary>
sealed class Deadline : IDisposable
{
    readonly CancellationTokenSource _timer;
    readonly CancellationTokenSource _linked;

    public Deadline(TimeSpan after, TimeProvider time, CancellationToken cancellation)
    {
        _timer = new(after, time);
        _linked = CancellationTokenSource.CreateLinkedTokenSource(_timer.Token, cancellation);
    }

    public CancellationToken Token => _linked.Token;

    public void Dispose()
    {
        _linked.Dispose();
        _timer.Dispose();
    }
}
