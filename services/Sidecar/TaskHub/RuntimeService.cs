using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using LeanPipe.DaprWire;
using LeanPipe.Sidecar.Http;
using LeanPipe.Sidecar.Jobs;
using LeanPipe.Sidecar.PubSub;
using LeanPipe.Sidecar.Workflows;

namespace LeanPipe.Sidecar.TaskHub;

/// <summary>The runtime service on the gRPC port: what REST offers besides workflows. Jobs and publishing are the main app's.</summary>
sealed class RuntimeService(
    JobRunner jobs, Publisher publisher, Metadata metadata, UnaryCall unary, SidecarOptions options, TimeProvider time, IHostApplicationLifetime lifetime)
{
    /// <param name="app">Whose port it is; null = the main app's.</param>
    public IEnumerable<KeyValuePair<string, Func<HttpContext, Task>>> Calls(string? app)
    {
        yield return Call(RuntimePaths.GetMetadata, GetMetadataRequest.Parser, (_, _) => Task.FromResult<(GetMetadataResponse?, Fault?)>((Message(metadata.Of(app)!), null)));
        yield return Call(RuntimePaths.SetMetadata, SetMetadataRequest.Parser, (r, _) => Task.FromResult(Done(
            metadata.TrySet(r.Key, r.Value) ? null : new Fault(GrpcStatusCode.ResourceExhausted, Metadata.Full))));
        yield return Call(RuntimePaths.Shutdown, ShutdownRequest.Parser, (_, _) =>
        {
            lifetime.StopApplication();
            return Task.FromResult(Done(null));
        });
        if (app is not null)
            yield break;

        yield return Call(RuntimePaths.PublishEvent, PublishEventRequest.Parser, PublishAsync);
        foreach (var name in new[] { "", RuntimePaths.Alpha })
        {
            yield return Call(RuntimePaths.ScheduleJob + name, ScheduleJobRequest.Parser, (r, _) => ScheduleAsync(r));
            yield return Call(RuntimePaths.GetJob + name, GetJobRequest.Parser, (r, _) => GetAsync(r));
            yield return Call(RuntimePaths.DeleteJob + name, DeleteJobRequest.Parser, async (r, _) =>
            {
                await jobs.DeleteAsync(r.Name);
                return (new DeleteJobResponse(), (Fault?)null);
            });
        }
    }

    KeyValuePair<string, Func<HttpContext, Task>> Call<TRequest, TResponse>(
        string path, MessageParser<TRequest> parser, Func<TRequest, HttpContext, Task<(TResponse?, Fault?)>> handle)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage => new(path, http => unary.AnswerAsync(http, parser, (request, _) => handle(request, http)));

    static (Empty?, Fault?) Done(Fault? fault) => fault is null ? (new Empty(), null) : (null, fault);

    async Task<(Empty?, Fault?)> PublishAsync(PublishEventRequest request, HttpContext http)
    {
        var message = new Publication(
            request.PubsubName,
            request.Topic,
            options.AppId,
            request.Data.ToByteArray(),
            request.DataContentType.Length > 0 ? request.DataContentType : null,
            new Dictionary<string, string>(request.Metadata, StringComparer.OrdinalIgnoreCase),
            http.Request.Headers.TraceParent,
            http.Request.Headers.TraceState);
        return Done(await publisher.PublishAsync(message) is { } fault
            ? new Fault(fault.Status == 500 ? GrpcStatusCode.ResourceExhausted : GrpcStatusCode.InvalidArgument, fault.Message)
            : null);
    }

    async Task<(ScheduleJobResponse?, Fault?)> ScheduleAsync(ScheduleJobRequest request)
    {
        if (request.Job is not { } job || JobRunner.NameFault(job.Name) is not null)
            return (null, new Fault(GrpcStatusCode.InvalidArgument, JobRunner.NameFault(request.Job?.Name ?? "")!));
        if (!JobMessage.TryRead(job, time.GetUtcNow(), time.LocalTimeZone, out var record, out var fault))
            return (null, new Fault(GrpcStatusCode.InvalidArgument, fault.Message));
        return await jobs.ScheduleAsync(job.Name, record, request.Overwrite)
            ? (new ScheduleJobResponse(), null)
            : (null, new Fault(GrpcStatusCode.AlreadyExists, JobRunner.AlreadyExists(job.Name)));
    }

    async Task<(GetJobResponse?, Fault?)> GetAsync(GetJobRequest request) => await jobs.GetAsync(request.Name) is { } job
        ? (new GetJobResponse { Job = JobMessage.Write(request.Name, job) }, null)
        : (null, new Fault(GrpcStatusCode.NotFound, $"job not found: '{request.Name}'"));

    static GetMetadataResponse Message(MetadataBody body)
    {
        const int Running = 2;
        const int Programmatic = 2;
        var actors = (body.Actors ?? []).Select(a => new ActiveActorsCount { Type = a.Type }).ToList();
        var message = new GetMetadataResponse
        {
            Id = body.Id,
            RuntimeVersion = body.RuntimeVersion,
            ActiveActorsCount = { actors },
            RegisteredComponents = { body.Components.Select(c => new RegisteredComponent { Name = c.Name, Type = c.Type, Version = c.Version }) },
            ActorRuntime = new ActorRuntime { RuntimeStatus = Running, ActiveActors = { actors }, HostReady = true },
            Workflows = body.Workflows is { } workflows ? new MetadataWorkflows { ConnectedWorkers = workflows.ConnectedWorkers } : null,
            AppConnectionProperties = body.AppConnection is { } app
                ? new AppConnectionProperties { Port = app.Port, Protocol = app.Protocol, ChannelAddress = app.ChannelAddress }
                : null,
        };
        message.ExtendedMetadata.Add(body.Extended.ToDictionary());
        foreach (var s in body.Subscriptions ?? [])
        {
            message.Subscriptions.Add(new PubsubSubscription
            {
                PubsubName = s.PubSubName,
                Topic = s.Topic,
                DeadLetterTopic = s.DeadLetterTopic ?? "",
                Type = Programmatic,
                Rules = new PubsubSubscriptionRules { Rules = { s.Rules.Select(r => new PubsubSubscriptionRule { Match = r.Match ?? "", Path = r.Path }) } },
            });
        }

        return message;
    }
}
