using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Mime;
using System.Text.Json;
using LeanPipe.DaprWire;

namespace LeanPipe.Sidecar.PubSub;

enum Verdict
{
    Done,
    Retry,
    Drop,

    /// <summary>The app knows no such path; asking again would not help.</summary>
    NoSuchPath,

    /// <summary>Nobody answers on the port.</summary>
    Unreachable,
}

/// <param name="Reason">For the log; never the app's own body.</param>
readonly record struct AppAnswer(Verdict Verdict, string Reason);

/// <summary>Talks to the app's HTTP port: asks what it subscribes to, and hands it events.</summary>
sealed class AppChannel(SidecarOptions options) : IDisposable
{
    // An app that has not answered by then gets the event again.
    static readonly TimeSpan LongestAnswer = TimeSpan.FromSeconds(60);

    // daprd's patience with the question whether an app takes a binding.
    static readonly TimeSpan LongestProbe = TimeSpan.FromSeconds(3);

    readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false }) { Timeout = LongestAnswer };

    /// <summary>Null = not to be had now; empty = the app subscribes to nothing.</summary>
    public async Task<IReadOnlyList<Subscription>?> SubscriptionsAsync(int port, CancellationToken cancellationToken)
    {
        try
        {
            using var request = Request(HttpMethod.Get, port, "/dapr/subscribe");
            using var response = await _http.SendAsync(request, cancellationToken);
            if (response.StatusCode == HttpStatusCode.NotFound)
                return [];
            return response.IsSuccessStatusCode ? Subscriptions.TryParse(await response.Content.ReadAsByteArrayAsync(cancellationToken)) : null;
        }
        catch (Exception e) when (IsTransport(e, cancellationToken))
        {
            return null;
        }
    }

    public Task<AppAnswer> DeliverAsync(int port, string path, byte[] cloudEvent, CancellationToken cancellationToken) =>
        PostAsync(port, path, cloudEvent, CloudEvents.ContentType, Judge, cancellationToken);

    /// <summary>Any 2xx is done, whatever its body says.</summary>
    public Task<AppAnswer> TriggerAsync(int port, string job, byte[] data, CancellationToken cancellationToken) =>
        PostAsync(port, "/job/" + Uri.EscapeDataString(job), data, MediaTypeNames.Application.Json, static (code, _) => JudgeCode(code), cancellationToken);

    /// <summary>Whether the app takes an input binding there; null = it cannot be asked now.</summary>
    public async Task<bool?> TakesBindingAsync(int port, string path, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(LongestProbe);
        try
        {
            using var request = Request(HttpMethod.Options, port, path);
            using var response = await _http.SendAsync(request, patience.Token);
            return response.IsSuccessStatusCode || response.StatusCode == HttpStatusCode.MethodNotAllowed;
        }
        catch (Exception e) when (IsTransport(e, cancellationToken))
        {
            return null;
        }
    }

    /// <summary>A tick of a cron binding; its headers are written as the Go runtime writes them. Any 2xx is done.</summary>
    public Task<AppAnswer> TickAsync(int port, string path, DateTimeOffset at, CancellationToken cancellationToken)
    {
        (string, string)[] headers =
            [("readTimeUTC", at.ToString("yyyy-MM-dd HH:mm:ss.FFFFFFF '+0000 UTC'", CultureInfo.InvariantCulture)), ("timeZone", "Local")];
        return PostAsync(port, path, [], MediaTypeNames.Application.Json, static (code, _) => JudgeCode(code), cancellationToken, headers);
    }

    async Task<AppAnswer> PostAsync(
        int port,
        string path,
        byte[] body,
        string contentType,
        Func<HttpStatusCode, byte[], AppAnswer> judge,
        CancellationToken cancellationToken,
        params (string Name, string Value)[] headers)
    {
        try
        {
            using var request = Request(HttpMethod.Post, port, path);
            foreach (var (name, value) in headers)
                request.Headers.Add(name, value);
            request.Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue(contentType) } };
            using var response = await _http.SendAsync(request, cancellationToken);
            return judge(response.StatusCode, await response.Content.ReadAsByteArrayAsync(cancellationToken));
        }
        catch (Exception e) when (IsTransport(e, cancellationToken))
        {
            return new AppAnswer(Verdict.Unreachable, e is OperationCanceledException ? $"no answer within {LongestAnswer.TotalSeconds} s" : e.Message);
        }
    }

    public void Dispose() => _http.Dispose();

    static AppAnswer JudgeCode(HttpStatusCode code) => code == HttpStatusCode.NotFound
        ? new AppAnswer(Verdict.NoSuchPath, "the app answered 404")
        : (int)code is < 200 or > 299 ? new AppAnswer(Verdict.Retry, $"the app answered {(int)code}") : new AppAnswer(Verdict.Done, "");

    static AppAnswer Judge(HttpStatusCode code, byte[] body)
    {
        if (JudgeCode(code) is { Verdict: not Verdict.Done } refused)
            return refused;
        return Status(body) switch
        {
            null or "" or "SUCCESS" => new AppAnswer(Verdict.Done, ""),
            "DROP" => new AppAnswer(Verdict.Drop, "the app answered DROP"),
            "RETRY" => new AppAnswer(Verdict.Retry, "the app answered RETRY"),
            _ => new AppAnswer(Verdict.Retry, "the app answered a status that is none of SUCCESS, RETRY and DROP"),
        };
    }

    static string? Status(byte[] body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return document.RootElement.ValueKind == JsonValueKind.Object
                && document.RootElement.TryGetProperty("status", out var status) && status.ValueKind == JsonValueKind.String
                ? status.GetString()
                : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // A body that is no JSON, or no text, is the app's own business: the code said that it took the event.
            return null;
        }
    }

    static bool IsTransport(Exception e, CancellationToken cancellationToken) =>
        e is HttpRequestException or IOException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested);

    HttpRequestMessage Request(HttpMethod method, int port, string path)
    {
        var request = new HttpRequestMessage(method, new Uri($"http://127.0.0.1:{port}{path}"));
        if (!string.IsNullOrEmpty(options.AppApiToken))
            request.Headers.Add(GrpcHeaders.ApiToken, options.AppApiToken);
        return request;
    }
}
