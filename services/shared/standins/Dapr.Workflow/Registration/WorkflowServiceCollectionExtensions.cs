using Dapr.Workflow.Grpc;
using Dapr.Workflow.Worker;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace Dapr.Workflow;

public static class WorkflowServiceCollectionExtensions
{
    /// <summary>Registers the client and a worker without workflows.</summary>
    public static IServiceCollection AddDaprWorkflow(this IServiceCollection services) => AddDaprWorkflow(services, _ => { });

    /// <summary>Registers the worker, as a hosted service, and <see cref="DaprWorkflowClient"/>.</summary>
    /// <param name="services">The application's services.</param>
    /// <param name="configure">Registers workflows and activities; several calls add up.</param>
    /// <param name="lifetime">Of the client; the worker is one per host.</param>
    public static IServiceCollection AddDaprWorkflow(
        this IServiceCollection services, Action<WorkflowRuntimeOptions> configure, ServiceLifetime lifetime = ServiceLifetime.Singleton)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        services.AddSingleton(new Registration(configure));
        services.TryAddSingleton(provider =>
        {
            var options = new WorkflowRuntimeOptions();
            foreach (var registration in provider.GetServices<Registration>())
            {
                registration.Configure(options);
            }

            return options;
        });
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(provider => new SidecarChannel(SidecarAddress.From(provider.GetService<IConfiguration>())));
        services.TryAddSingleton<TurnRunner>();
        services.TryAddSingleton<ActivityRunner>();
        services.TryAddSingleton<WorkItems>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, WorkflowWorker>());
        services.TryAdd(new ServiceDescriptor(
            typeof(DaprWorkflowClient),
            provider => new DaprWorkflowClient(provider.GetRequiredService<SidecarChannel>(), provider.GetRequiredService<TimeProvider>()),
            lifetime));
        return services;
    }

    sealed record Registration(Action<WorkflowRuntimeOptions> Configure);
}
