using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Serialization;
using LeanPipe.Documents;

namespace LeanPipe.Orchestrator;

/// <summary>The body of a job of the Dapr Jobs API.</summary>
sealed record JobBody(string Schedule, bool? Overwrite = null);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(JobBody))]
sealed partial class JobJson : JsonSerializerContext;

/// <summary>Keeps the job "housekeeping" of the sidecar in step with <c>housekeeping.yaml</c>, which is read again every minute.</summary>
/// <remarks>
/// The job is the sidecar's to keep: it fires once per app, whatever replicas there are, and after a restart. It is written only when its schedule is another one, for a job that is
/// written again begins its interval anew.
/// </remarks>
sealed class HousekeepingSchedule(OrchestratorOptions options, IConfiguration configuration, TimeProvider time, ILogger<HousekeepingSchedule> log) : BackgroundService
{
    public const string Job = "housekeeping";
    public const string Path = $"/job/{Job}";

    static readonly TimeSpan LookEvery = TimeSpan.FromMinutes(1);
    static readonly TimeSpan TryAgainAfter = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var sidecar = Sidecar();
        if (sidecar is null) return;
        var told = false;
        while (!stoppingToken.IsCancellationRequested)
        {
            var wait = LookEvery;
            try
            {
                await SynchroniseAsync(sidecar, stoppingToken);
                told = false;
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                // The sidecar may start after this service; a person needs to know only when it stays away. Whatever it is must not end the service.
                if (!told) log.HousekeepingNotScheduled(e.Message);
                (told, wait) = (true, TryAgainAfter);
            }
            await Task.Delay(wait, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    async Task SynchroniseAsync(HttpClient sidecar, CancellationToken cancellation)
    {
        if (!TryReadSchedule(out var schedule)) return;
        using var found = await sidecar.GetAsync(new Uri($"v1.0-alpha1/jobs/{Job}", UriKind.Relative), cancellation);
        var known = found.StatusCode == HttpStatusCode.OK ? (await found.Content.ReadFromJsonAsync(JobJson.Default.JobBody, cancellation))?.Schedule : null;
        if (known == schedule) return;
        using var answer = schedule is null
            ? await sidecar.DeleteAsync(new Uri($"v1.0-alpha1/jobs/{Job}", UriKind.Relative), cancellation)
            : await sidecar.PostAsJsonAsync(new Uri($"v1.0-alpha1/jobs/{Job}", UriKind.Relative), new(schedule, known is null ? null : true), JobJson.Default.JobBody, cancellation);
        if (!answer.IsSuccessStatusCode)
            throw new HttpRequestException($"the sidecar refused the schedule '{schedule}' ({(int)answer.StatusCode}): {await answer.Content.ReadAsStringAsync(cancellation)}");
        log.HousekeepingScheduled(schedule ?? "never");
    }

    bool TryReadSchedule(out string? schedule)
    {
        schedule = null;
        var file = System.IO.Path.Combine(options.Config, HousekeepingDocument.FileName);
        if (!File.Exists(file)) return true;
        var (policy, errors) = HousekeepingDocument.Load(file);
        if (policy is null) log.HousekeepingNotScheduled(string.Join(' ', errors));
        schedule = policy?.Schedule;
        return policy is not null;
    }

    /// <summary>Null without a sidecar.</summary>
    HttpClient? Sidecar()
    {
        var address = configuration["DAPR_HTTP_ENDPOINT"] is { Length: > 0 } endpoint ? endpoint : configuration["DAPR_HTTP_PORT"] is { Length: > 0 } port ? $"http://127.0.0.1:{port}" : null;
        if (address is null) return null;
        var client = new HttpClient { BaseAddress = new Uri($"{address.TrimEnd('/')}/") };
        if (configuration["DAPR_API_TOKEN"] is { Length: > 0 } token) client.DefaultRequestHeaders.Add("dapr-api-token", token);
        return client;
    }
}
