using System.Text.Json;
using Dapr.Common.Serialization;
using Dapr.Workflow.Grpc;
using Dapr.Workflow.Registration;
using Dapr.Workflow.Serialization;
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
        Add(services, configure, configureClient: null, lifetime);
        return services;
    }

    /// <summary>As <see cref="AddDaprWorkflow(IServiceCollection, Action{WorkflowRuntimeOptions}, ServiceLifetime)"/>, with more to set.</summary>
    /// <param name="services">The application's services.</param>
    /// <param name="configureRuntime">Registers workflows and activities; several calls add up.</param>
    /// <param name="configureClient">Called for each client that is made. Without it a client writes JSON, whatever the worker's serializer.</param>
    /// <param name="lifetime">Of the client; the worker is one per host.</param>
    public static DaprWorkflowBuilder AddDaprWorkflowBuilder(
        this IServiceCollection services,
        Action<WorkflowRuntimeOptions>? configureRuntime,
        Action<IServiceProvider, DaprWorkflowClientBuilder>? configureClient = null,
        ServiceLifetime lifetime = ServiceLifetime.Singleton)
    {
        ArgumentNullException.ThrowIfNull(services);
        Add(services, configureRuntime ?? (_ => { }), configureClient, lifetime);
        return new DaprWorkflowBuilder(services);
    }

    static void Add(
        IServiceCollection services,
        Action<WorkflowRuntimeOptions> configure,
        Action<IServiceProvider, DaprWorkflowClientBuilder>? configureClient,
        ServiceLifetime lifetime)
    {
        services.AddSingleton(new Registered(configure));
        services.TryAddSingleton(provider =>
        {
            var options = new WorkflowRuntimeOptions();
            foreach (var registration in provider.GetServices<Registered>())
            {
                registration.Configure(options);
            }

            return options;
        });
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(new MessageLimits());
        services.TryAddSingleton(provider =>
            new SidecarChannel(SidecarAddress.From(provider.GetService<IConfiguration>()), provider.GetRequiredService<MessageLimits>()));
        services.TryAddSingleton<IDaprSerializer>(_ => new JsonDaprSerializer());
        services.TryAddSingleton<Payloads>();
        services.TryAddSingleton<TurnRunner>();
        services.TryAddSingleton<ActivityRunner>();
        services.TryAddSingleton<WorkItems>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, WorkflowWorker>());
        services.TryAdd(new ServiceDescriptor(
            typeof(DaprWorkflowClient),
            provider =>
            {
                var client = new DaprWorkflowClientBuilder();
                configureClient?.Invoke(provider, client);
                return new DaprWorkflowClient(provider.GetRequiredService<SidecarChannel>(), client.Payloads, provider.GetRequiredService<TimeProvider>());
            },
            lifetime));
    }

    /// <summary>Sets how the worker writes and reads payloads; the last one counts.</summary>
    public readonly struct DaprWorkflowBuilder
    {
        internal DaprWorkflowBuilder(IServiceCollection services) => Services = services;

        public IServiceCollection Services { get; }

        public DaprWorkflowBuilder WithSerializer(IDaprSerializer serializer)
        {
            ArgumentNullException.ThrowIfNull(serializer);
            Services.Replace(ServiceDescriptor.Singleton(serializer));
            return this;
        }

        public DaprWorkflowBuilder WithSerializer(Func<IServiceProvider, IWorkflowSerializer> serializerFactory)
        {
            ArgumentNullException.ThrowIfNull(serializerFactory);
            Services.Replace(ServiceDescriptor.Singleton<IDaprSerializer>(serializerFactory));
            return this;
        }

        /// <summary>Bytes of a message from and to the sidecar; null = unlimited. A work item above the limit ends the stream, and comes again.</summary>
        public DaprWorkflowBuilder WithGrpcMessageSizeLimits(int? maxReceiveMessageSize = null, int? maxSendMessageSize = null)
        {
            if (maxReceiveMessageSize is { } receive)
            {
                ArgumentOutOfRangeException.ThrowIfNegativeOrZero(receive, nameof(maxReceiveMessageSize));
            }

            if (maxSendMessageSize is { } send)
            {
                ArgumentOutOfRangeException.ThrowIfNegativeOrZero(send, nameof(maxSendMessageSize));
            }

            Services.Replace(ServiceDescriptor.Singleton(new MessageLimits(maxReceiveMessageSize, maxSendMessageSize)));
            return this;
        }

        public DaprWorkflowBuilder WithJsonSerializer(JsonSerializerOptions jsonOptions) => WithSerializer(new JsonDaprSerializer(jsonOptions));
    }

    sealed record Registered(Action<WorkflowRuntimeOptions> Configure);
}
