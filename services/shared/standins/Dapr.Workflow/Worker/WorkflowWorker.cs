using Microsoft.Extensions.Hosting;

namespace Dapr.Workflow.Worker;

sealed class WorkflowWorker : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.CompletedTask;
}
