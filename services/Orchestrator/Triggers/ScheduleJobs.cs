using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using LeanPipe.Contracts;

namespace LeanPipe.Orchestrator;

/// <summary>The clock as a trigger: a job of the sidecar for each pipeline with a schedule, and the run that it starts when it is due.</summary>
/// <remarks>
/// The sidecar keeps the jobs, so a time that passes while this service is down is made up for once: a job is written only when its schedule is another one, for writing it
/// again would forget that time. Documents are read again every half minute: a changed schedule replaces its job, a pipeline that has none any more loses it, one that cannot be
/// read keeps it. A trigger that fails is delivered until it is taken. A job that is delivered twice within its minute is one run.
/// </remarks>
sealed class ScheduleJobs(PipelineFolder pipelines, RunStarter starter, IConfiguration configuration, TimeProvider time, ILogger<ScheduleJobs> log) : BackgroundService
{
    public const string Path = "/job/{job}";

    const string Prefix = "pipeline-";

    static readonly TimeSpan ReadEvery = TimeSpan.FromSeconds(30);

    /// <summary>The scheduler's clock may be so far ahead of ours: a trigger a moment before the full minute means that minute.</summary>
    static readonly TimeSpan ClockSkew = TimeSpan.FromSeconds(5);

    /// <summary>Without a limit: what a schedule asks for should not depend on whether the lake is there in those seconds.</summary>
    static readonly Dictionary<string, object> TryAgain = new() { ["constant"] = new Dictionary<string, string> { ["interval"] = "10s" } };

    readonly Dictionary<string, string> _known = [];

    /// <summary>A job is due.</summary>
    /// <returns>False when it is none of ours, or its pipeline has no schedule any more.</returns>
    /// <exception cref="LeanPipeException"><c>orchestrator.documents_unreadable</c>: it may be of a document that cannot be read at the moment.</exception>
    public async Task<bool> FireAsync(string job, CancellationToken cancellation)
    {
        var found = pipelines.Read();
        var pipeline = found.Pipelines.FirstOrDefault(p => Prefix + p.Definition.Name == job)?.Definition;
        if (pipeline is null && found.Errors.Count > 0)
            throw new LeanPipeException("orchestrator.documents_unreadable", $"Job '{job}' is of no pipeline that can be read: {string.Join("; ", found.Errors)}", isTransient: true);
        if (pipeline?.TriggerSchedule is not { } schedule) return false;
        var now = time.GetUtcNow() + ClockSkew;
        var window = WindowBefore(now, schedule.Window);
        var run = RunStarter.IdFor(pipeline.Name, window, now.ToString("yyyyMMdd'T'HHmm", CultureInfo.InvariantCulture));
        if (await starter.StartAsync(run, new(pipeline.Name, window), cancellation)) log.ScheduleTriggered(pipeline.Name.Value, run.Value);
        return true;
    }

    /// <summary>The window that ended last.</summary>
    public static WindowId WindowBefore(DateTimeOffset now, WindowSize size) => WindowId.Of(now - size.Length, size);

    /// <summary>As the Jobs API takes it: seconds first, the zone in front.</summary>
    public static string Expression(ScheduleTrigger schedule) => $"CRON_TZ={schedule.TimeZone} 0 {schedule.Cron}";

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if ((configuration["DAPR_HTTP_ENDPOINT"] ?? Endpoint(configuration["DAPR_HTTP_PORT"])) is not { } endpoint) return;
        using var http = new HttpClient { BaseAddress = new(endpoint) };
        if (configuration["DAPR_API_TOKEN"] is { Length: > 0 } token) http.DefaultRequestHeaders.Add("dapr-api-token", token);
        using var timer = new PeriodicTimer(ReadEvery, time);
        do
        {
            try
            {
                await RegisterAsync(http, stoppingToken);
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                // The sidecar is not up yet, away, or hangs, or a folder cannot be read: the next time it is asked again. Whatever it is must not end the service.
                log.JobsNotRegistered(e.Message);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    async Task RegisterAsync(HttpClient http, CancellationToken cancellation)
    {
        var found = pipelines.Read();
        var wanted = found.Pipelines.Select(p => p.Definition).Where(p => p.TriggerSchedule is not null)
            .ToDictionary(p => Prefix + p.Name, p => Expression(p.TriggerSchedule!));
        foreach (var (job, schedule) in wanted.Where(w => _known.GetValueOrDefault(w.Key) != w.Value))
        {
            if (await KnownAsync(http, job, cancellation) == schedule)
            {
                _known[job] = schedule;
                continue;
            }
            var body = new Dictionary<string, object> { ["schedule"] = schedule, ["overwrite"] = true, ["failurePolicy"] = TryAgain };
            using var answer = await http.PostAsJsonAsync($"/v1.0-alpha1/jobs/{job}", body, cancellation);
            if (answer.IsSuccessStatusCode) _known[job] = schedule;
            else log.JobsNotRegistered($"{job}: {(int)answer.StatusCode} {(await answer.Content.ReadAsStringAsync(cancellation)).Trim()}");
        }
        // A document that cannot be read may be the one that a job is of.
        foreach (var job in found.Errors.Count > 0 ? [] : _known.Keys.Except(wanted.Keys).ToList())
        {
            using var answer = await http.DeleteAsync($"/v1.0-alpha1/jobs/{job}", cancellation);
            if (answer.IsSuccessStatusCode) _known.Remove(job);
        }
    }

    /// <returns>Null when the sidecar has no such job, or does not tell its schedule.</returns>
    static async Task<string?> KnownAsync(HttpClient http, string job, CancellationToken cancellation)
    {
        using var answer = await http.GetAsync($"/v1.0-alpha1/jobs/{job}", cancellation);
        return answer.StatusCode == HttpStatusCode.OK ? (await answer.Content.ReadFromJsonAsync(JobJson.Default.JobBody, cancellation))?.Schedule : null;
    }

    static string? Endpoint(string? port) => port is { Length: > 0 } ? $"http://127.0.0.1:{port}" : null;
}
