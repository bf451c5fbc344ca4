using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using LeanPipe.Sidecar.Jobs;

namespace LeanPipe.Sidecar.Http;

/// <summary>Jobs over REST: scheduled by name, triggered on the app's port.</summary>
static class JobsApi
{
    static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void Map(IEndpointRouteBuilder routes)
    {
        foreach (var version in new[] { "/v1.0", "/v1.0-alpha1" })
        {
            var jobs = routes.MapGroup(version + "/jobs/{name}");
            jobs.MapPost("", ScheduleAsync);
            jobs.MapGet("", GetAsync);
            jobs.MapDelete("", DeleteAsync);
        }
    }

    static async Task<IResult> ScheduleAsync(HttpContext http, JobRunner jobs, SidecarOptions options, TimeProvider time, string name)
    {
        if (JobRunner.NameFault(name) is { } wrong)
            return Error(new JobFault(400, "DAPR_SCHEDULER_JOB_NAME_EMPTY", wrong));
        if (await RequestBody.TryReadAsync(http, options) is not { } body)
            return RequestBody.TooLarge();
        if (!JobBody.TryRead(body, time.GetUtcNow(), time.LocalTimeZone, out var job, out var overwrite, out var fault))
            return Error(fault);
        return await jobs.ScheduleAsync(name, job, overwrite)
            ? Results.NoContent()
            : Error(new JobFault(500, "DAPR_SCHEDULER_SCHEDULE_JOB", JobRunner.AlreadyExists(name)));
    }

    static async Task<IResult> GetAsync(JobRunner jobs, string name)
    {
        if (await jobs.GetAsync(name) is not { } job)
            return Results.NoContent();
        var buffer = new ArrayBufferWriter<byte>();
        await using (var json = new Utf8JsonWriter(buffer, Writing))
            JobBody.Write(json, name, job);
        return Results.Bytes(buffer.WrittenMemory, "application/json");
    }

    static async Task<IResult> DeleteAsync(JobRunner jobs, string name)
    {
        await jobs.DeleteAsync(name);
        return Results.NoContent();
    }

    static IResult Error(JobFault fault) => ApiErrors.Json(
        fault.Status,
        new DetailedError(fault.Code, fault.Message, [new ErrorDetail("type.googleapis.com/google.rpc.ErrorInfo", "dapr.io", fault.Code)]),
        ApiErrors.Shapes.DetailedError);
}
