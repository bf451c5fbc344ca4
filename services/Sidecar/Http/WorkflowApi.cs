using System.Buffers;
using System.Text;
using Google.Protobuf.WellKnownTypes;
using LeanPipe.DaprWire;
using LeanPipe.Sidecar.Workflows;

namespace LeanPipe.Sidecar.Http;

/// <summary>Workflows over REST, in the words, codes and bodies of daprd 1.18.</summary>
static class WorkflowApi
{
    const int LongestInstanceId = 64;

    static readonly SearchValues<char> InstanceIdCharacters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");

    /// <summary>The component's name is part of the path and has no meaning.</summary>
    public static void Map(IEndpointRouteBuilder routes)
    {
        foreach (var version in new[] { "/v1.0", "/v1.0-beta1", "/v1.0-alpha1" })
        {
            var workflows = routes.MapGroup(version + "/workflows/{component}");
            workflows.MapPost("/{name}/start", StartAsync);
            workflows.MapGet("/{id}", GetAsync);
            workflows.MapPost("/{id}/raiseEvent/{eventName}", RaiseEventAsync);
            workflows.MapPost("/{id}/terminate", TerminateAsync);
            workflows.MapPost("/{id}/pause", PauseAsync);
            workflows.MapPost("/{id}/resume", ResumeAsync);
            workflows.MapPost("/{id}/purge", PurgeAsync);
        }
    }

    static async Task<IResult> StartAsync(HttpContext http, WorkflowClient client, SidecarOptions options, string name)
    {
        var id = http.Request.Query["instanceID"].ToString();
        if (id.Length == 0)
            id = Guid.NewGuid().ToString();
        if (id.Length > LongestInstanceId)
            return ApiErrors.Error(400, "ERR_INSTANCE_ID_TOO_LONG", $"workflow instance ID exceeds the max length of {LongestInstanceId} characters");
        if (id.AsSpan().ContainsAnyExcept(InstanceIdCharacters))
            return ApiErrors.Error(400, "ERR_INSTANCE_ID_INVALID", $"workflow instance ID '{id}' is invalid: only alphanumeric and underscore characters are allowed");
        if (await RequestBody.TryReadAsync(http, options) is not { } body)
            return RequestBody.TooLarge();

        var fault = await client.StartAsync(new CreateInstanceRequest { Name = name, InstanceId = id, Input = Encoding.UTF8.GetString(body) });
        return fault is null
            ? ApiErrors.Json(202, new StartedBody(id), ApiErrors.Shapes.StartedBody)
            : ApiErrors.Error(
                500,
                "ERR_START_WORKFLOW",
                $"error starting workflow '{name}': unable to start workflow: failed to start workflow: rpc error: code = {fault.Code} desc = {fault.Message}");
    }

    static async Task<IResult> GetAsync(WorkflowClient client, string id) =>
        await client.GetAsync(id, payloads: true) is { } state
            ? ApiErrors.Json(200, View(state), ApiErrors.Shapes.InstanceBody)
            : ApiErrors.Error(404, "ERR_INSTANCE_ID_NOT_FOUND", $"unable to find workflow with the provided instance ID: {id}");

    static async Task<IResult> RaiseEventAsync(HttpContext http, WorkflowClient client, SidecarOptions options, string id, string eventName)
    {
        if (await RequestBody.TryReadAsync(http, options) is not { } body)
            return RequestBody.TooLarge();
        return await client.RaiseEventAsync(id, eventName, Encoding.UTF8.GetString(body)) is { } fault
            ? ApiErrors.Error(
                500,
                "ERR_RAISE_EVENT_WORKFLOW",
                $"error raising event on workflow '{id}': failed to raise event {eventName} on workflow {id}: failed to raise event: {fault.Message}")
            : ApiErrors.Accepted();
    }

    static async Task<IResult> TerminateAsync(WorkflowClient client, string id) =>
        await client.TerminateAsync(id, output: null, recursive: true) is { } fault
            ? NotFound(id, $"failed to submit termination request:: {fault.Message}")
            : ApiErrors.Accepted();

    static async Task<IResult> PauseAsync(WorkflowClient client, string id) =>
        await client.SuspendAsync(id, reason: null) is { } fault
            ? ApiErrors.Error(500, "ERR_PAUSE_WORKFLOW", $"error pausing workflow {id}: failed to pause workflow {id}: failed to suspend workflow: {fault.Message}")
            : ApiErrors.Accepted();

    static async Task<IResult> ResumeAsync(WorkflowClient client, string id) =>
        await client.ResumeAsync(id, reason: null) is { } fault
            ? ApiErrors.Error(500, "ERR_RESUME_WORKFLOW", $"error resuming workflow {id}: failed to resume workflow {id}: failed to resume workflow: {fault.Message}")
            : ApiErrors.Accepted();

    static async Task<IResult> PurgeAsync(WorkflowClient client, string id)
    {
        var (_, fault) = await client.PurgeAsync(id, recursive: true, force: false);
        if (fault is null)
            return ApiErrors.Accepted();
        return fault == Fault.NoSuchInstance
            ? NotFound(id, $"failed to purge workflow state: failed to fetch workflow state: {fault.Message}")
            : ApiErrors.Error(500, "ERR_PURGE_WORKFLOW", $"error purging workflow {id}: failed to Purge workflow {id}: failed to purge workflow state: {fault.Message}");
    }

    // The official sidecar's message carries a slip of Go's formatting, and clients that compare texts have it in them.
    static IResult NotFound(string id, string cause) => ApiErrors.Error(
        404, "ERR_INSTANCE_ID_NOT_FOUND", $"unable to find workflow with the provided instance ID: {id}%!(EXTRA *fmt.wrapError={cause})");

    static InstanceBody View(WorkflowState state)
    {
        // Before its first turn an instance has no name, no times and no properties for a reader.
        if (state.WorkflowStatus == OrchestrationStatus.Pending)
            return new InstanceBody(state.InstanceId, WorkflowName: null, Time(null), Time(null), "PENDING", Properties: null);

        var properties = new SortedDictionary<string, string>(StringComparer.Ordinal);
        Add("dapr.workflow.input", state.Input);
        Add("dapr.workflow.output", state.Output);
        Add("dapr.workflow.custom_status", state.CustomStatus is { Length: > 0 } status ? status : null);
        if (state.FailureDetails is { } failure)
        {
            Add("dapr.workflow.failure.error_type", failure.ErrorType);
            Add("dapr.workflow.failure.error_message", failure.ErrorMessage);
            Add("dapr.workflow.failure.stack_trace", failure.StackTrace);
        }

        return new InstanceBody(
            state.InstanceId, state.Name, Time(state.CreatedTimestamp), Time(state.LastUpdatedTimestamp), Status(state.WorkflowStatus), properties);

        void Add(string key, string? value)
        {
            if (value is not null)
                properties[key] = value;
        }
    }

    static string Status(OrchestrationStatus status) => status switch
    {
        OrchestrationStatus.Running => "RUNNING",
        OrchestrationStatus.Completed => "COMPLETED",
        OrchestrationStatus.ContinuedAsNew => "CONTINUED_AS_NEW",
        OrchestrationStatus.Failed => "FAILED",
        OrchestrationStatus.Canceled => "CANCELED",
        OrchestrationStatus.Terminated => "TERMINATED",
        OrchestrationStatus.Pending => "PENDING",
        OrchestrationStatus.Suspended => "SUSPENDED",
        _ => "UNKNOWN",
    };

    // As protobuf's JSON: none, three, six or nine fractional digits; the zero time is the year 1.
    static string Time(Timestamp? timestamp)
    {
        if (timestamp is null)
            return "0001-01-01T00:00:00Z";
        var fraction = timestamp.Nanos switch
        {
            0 => "",
            var nanos when nanos % 1_000_000 == 0 => $".{nanos / 1_000_000:D3}",
            var nanos when nanos % 1_000 == 0 => $".{nanos / 1_000:D6}",
            var nanos => $".{nanos:D9}",
        };
        return $"{Events.TimeOf(timestamp).UtcDateTime:yyyy-MM-ddTHH:mm:ss}{fraction}Z";
    }
}
