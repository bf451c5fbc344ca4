using Dapr.Workflow;
using LeanPipe.Contracts;
using LeanPipe.Lake;
using LeanPipe.ServiceDefaults;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace LeanPipe.Orchestrator;

/// <summary>The service in one application: a workflow worker, a subscriber, and a small API.</summary>
public static class OrchestratorService
{
    const int ListedRuns = 200;

    /// <exception cref="LeanPipeException">The options are wrong; with every broken rule.</exception>
    public static WebApplicationBuilder AddOrchestrator(this WebApplicationBuilder builder, OrchestratorOptions options)
    {
        var services = builder.Services;
        services.AddSingleton(options.Validated());
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(_ => ObjectStores.OpenForCommits(options.Lake));
        services.TryAddSingleton<RunProgress>();
        services.TryAddSingleton(_ => new PipelineFolder(options.Config));
        if (options.Kubernetes is { } cluster)
        {
            services.AddSingleton(cluster).AddSingleton<KubernetesApi>().AddSingleton<JobWatch>().AddHostedService(s => s.GetRequiredService<JobWatch>());
        }
        services.TryAddSingleton(provider =>
        {
            ILauncher each = options.Kubernetes is null ? ActivatorUtilities.CreateInstance<ProcessLauncher>(provider) : ActivatorUtilities.CreateInstance<KubernetesLauncher>(provider);
            return options.Warm is null ? each : ActivatorUtilities.CreateInstance<WarmLauncher>(provider, each, options.Warm);
        });
        services.AddSingleton<SourceReader>().AddSingleton<RunPlanning>().AddSingleton<TaskCache>().AddSingleton<StepShapes>().AddSingleton<StepWriter>().AddSingleton<StepSheets>().AddSingleton<MemoryLadder>().AddSingleton<TaskRunner>().AddSingleton<RunEnding>();
        services.AddSingleton<IRunInstances, DaprRunInstances>().AddSingleton<RunQueue>().AddSingleton<RunCancellation>().AddSingleton<LostRuns>().AddHostedService(s => s.GetRequiredService<LostRuns>());
        services.AddSingleton<RunStarter>().AddSingleton<PublishedTrigger>().AddSingleton<ScheduleJobs>().AddHostedService(s => s.GetRequiredService<ScheduleJobs>());
        services.AddSingleton<WindowSealedEndpoint>().AddSingleton<RunReader>();
        services.AddSingleton<OrchestratorMetrics>();
        builder.AddMetricsEndpoint("leanpipe-orchestrator");
        services.AddHostedService<HousekeepingSchedule>();
        services.AddDaprWorkflow(worker =>
        {
            worker.RegisterWorkflow<PipelineWorkflow>(WorkflowNames.Pipeline);
            worker.RegisterWorkflow<TasksWorkflow>(WorkflowNames.Tasks);
            worker.RegisterActivity<PlanActivity>(WorkflowNames.Plan);
            worker.RegisterActivity<PlanStepActivity>(WorkflowNames.PlanStep);
            worker.RegisterActivity<RunTaskActivity>(WorkflowNames.RunTask);
            worker.RegisterActivity<CommitStepActivity>(WorkflowNames.CommitStep);
            worker.RegisterActivity<PublishActivity>(WorkflowNames.Publish);
            worker.RegisterActivity<FinishActivity>(WorkflowNames.Finish);
            worker.RegisterActivity<CancelActivity>(WorkflowNames.Cancel);
            worker.RegisterWorkflow<HousekeepingWorkflow>(HousekeepingWorkflow.Name);
            worker.RegisterActivity<HousekeepingActivity>(HousekeepingActivity.Name);
        });
        return builder;
    }

    /// <summary>Maps the subscription, <c>/healthz</c>, <c>/metrics</c> and <c>/api/runs</c>.</summary>
    public static WebApplication MapOrchestrator(this WebApplication app)
    {
        _ = app.Services.GetRequiredService<OrchestratorMetrics>();
        app.MapMetricsEndpoint();
        app.UseCloudEvents();
        app.MapSubscribeHandler();
        app.MapPost(WindowSealedEndpoint.Path, async (HttpContext context, WindowSealedEndpoint endpoint) =>
                Results.Json(await endpoint.HandleAsync(context.Request.Body, context.RequestAborted), ApiJson.Default.EventAnswer))
            .WithTopic(EventNames.PubSub, EventNames.WindowSealed);
        app.MapPost(ScheduleJobs.Path, async (string job, ScheduleJobs jobs, CancellationToken cancellation) =>
            await jobs.FireAsync(job, cancellation) ? Results.Ok() : Results.NotFound());
        app.MapPost(HousekeepingSchedule.Path, async (DaprWorkflowClient workflows, TimeProvider time) =>
            await workflows.ScheduleNewWorkflowAsync(HousekeepingWorkflow.Name, $"housekeeping-{time.GetUtcNow():yyyyMMdd'T'HHmmss}", ""));
        app.MapGet("/healthz", () => Results.Text("ok\n"));
        app.MapGet("/api/runs", async (RunReader runs, CancellationToken cancellation) =>
            Results.Json(await runs.ListAsync(ListedRuns, cancellation), ApiJson.Default.IReadOnlyListRunLine));
        app.MapGet("/api/runs/{run}", async (string run, RunReader runs, CancellationToken cancellation) =>
            RunId.IsValid(run) && await runs.FindAsync(new(run), cancellation) is { } view
                ? Results.Json(view, ApiJson.Default.RunView)
                : Results.Json(new ApiError("run.unknown", $"The lake knows no run '{run}'."), ApiJson.Default.ApiError, statusCode: StatusCodes.Status404NotFound));
        app.MapPost("/api/runs/{run}/cancel", async (string run, RunCancellation runs, CancellationToken cancellation) =>
            RunId.IsValid(run) && await runs.RequestAsync(new(run), cancellation)
                ? Results.StatusCode(StatusCodes.Status202Accepted)
                : Results.Json(new ApiError("run.not_running", $"No run '{run}' is under way."), ApiJson.Default.ApiError, statusCode: StatusCodes.Status409Conflict));
        return app;
    }
}
