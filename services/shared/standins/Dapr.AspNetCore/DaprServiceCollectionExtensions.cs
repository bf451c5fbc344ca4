using Dapr.Client;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Microsoft.Extensions.DependencyInjection;

public static class DaprServiceCollectionExtensions
{
    /// <summary>Registers <see cref="DaprClient"/> unless one is registered already.</summary>
    public static void AddDaprClient(
        this IServiceCollection services, Action<DaprClientBuilder>? configure = null, ServiceLifetime lifetime = ServiceLifetime.Singleton)
    {
        ArgumentNullException.ThrowIfNull(services);
        Add(services, (_, builder) => configure?.Invoke(builder), lifetime);
    }

    /// <inheritdoc cref="AddDaprClient(IServiceCollection, Action{DaprClientBuilder}?, ServiceLifetime)"/>
    public static void AddDaprClient(
        this IServiceCollection services, Action<IServiceProvider, DaprClientBuilder> configure, ServiceLifetime lifetime = ServiceLifetime.Singleton)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        Add(services, configure, lifetime);
    }

    static void Add(IServiceCollection services, Action<IServiceProvider, DaprClientBuilder> configure, ServiceLifetime lifetime) =>
        services.TryAdd(new ServiceDescriptor(
            typeof(DaprClient),
            provider =>
            {
                var builder = new DaprClientBuilder(provider.GetService<IConfiguration>());
                configure(provider, builder);
                return builder.Build();
            },
            lifetime));
}
