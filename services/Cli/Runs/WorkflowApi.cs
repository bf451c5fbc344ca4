using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization;
using LeanPipe.Cli.Output;
using LeanPipe.Contracts;

namespace LeanPipe.Cli.Runs;

/// <summary>What `GET /v1.0/workflows/dapr/{id}` says; its names are Dapr's.</summary>
sealed record WorkflowState(
    [property: JsonPropertyName("instanceID")] string InstanceId,
    [property: JsonPropertyName("runtimeStatus")] string RuntimeStatus,
    [property: JsonPropertyName("properties")] IReadOnlyDictionary<string, string>? Properties)
{
    public bool HasEnded => RuntimeStatus is "COMPLETED" or "FAILED" or "TERMINATED" or "CANCELED";

    public bool Completed => RuntimeStatus == "COMPLETED";

    public string? FailureMessage => Properties?.GetValueOrDefault("dapr.workflow.failure.error_message");
}

/// <summary>The two calls of Dapr's workflow API that a person needs.</summary>
sealed class WorkflowApi(HttpClient http, Uri sidecar)
{
    /// <exception cref="LeanPipeException"><c>cli.sidecar_refused</c>, <c>cli.sidecar_unreachable</c></exception>
    public async Task StartAsync(RunId run, RunRequest request, CancellationToken stop)
    {
        using var body = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(request, ContractsJson.Default.RunRequest));
        body.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        using var answer = await SendAsync(() => http.PostAsync(At($"{EventNames.PipelineWorkflow}/start?instanceID={run}"), body, stop));
        await EnsureAsync(answer, stop);
    }

    /// <summary>Null when the sidecar knows no such run.</summary>
    public async Task<WorkflowState?> FindAsync(RunId run, CancellationToken stop)
    {
        using var answer = await SendAsync(() => http.GetAsync(At(run.Value), stop));
        if (answer.StatusCode == HttpStatusCode.NotFound) return null;
        await EnsureAsync(answer, stop);
        return JsonSerializer.Deserialize(await answer.Content.ReadAsByteArrayAsync(stop), CliJson.Default.WorkflowState);
    }

    Uri At(string path) => new(sidecar, $"/v1.0/workflows/dapr/{path}");

    async Task<HttpResponseMessage> SendAsync(Func<Task<HttpResponseMessage>> send)
    {
        try
        {
            return await send();
        }
        catch (HttpRequestException e)
        {
            throw new LeanPipeException("cli.sidecar_unreachable", $"The sidecar at {sidecar} does not answer: {e.Message}", isTransient: true, e);
        }
    }

    static async Task EnsureAsync(HttpResponseMessage answer, CancellationToken stop)
    {
        if (answer.IsSuccessStatusCode) return;
        throw new LeanPipeException("cli.sidecar_refused", $"The sidecar answered {(int)answer.StatusCode}: {(await answer.Content.ReadAsStringAsync(stop)).Trim()}");
    }
}
