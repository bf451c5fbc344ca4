using System.Net;
using System.Text;
using DotNet.Testcontainers.Builders;

namespace LeanPipe.Containers;

/// <summary>The behaviour suite of workflows, which CI runs against the embedded sidecar, against Dapr itself: daprd, placement, scheduler, Redis; with the components of dapr-components/redis.</summary>
public sealed class DaprTests
{
    const string Version = "1.18.3";
    const ushort Http = 3500, Grpc = 50001;

    [Fact]
    public async Task Workflows_behave_under_daprd_as_under_the_embedded_sidecar()
    {
        var stop = TestContext.Current.CancellationToken;
        await using var network = new NetworkBuilder().Build();
        await network.CreateAsync(stop);

        await using var redis = new ContainerBuilder().WithImage("redis:7.4-alpine").WithNetwork(network).WithNetworkAliases("redis")
            .WithWaitStrategy(Wait.ForUnixContainer().UntilMessageIsLogged("Ready to accept connections")).Build();
        await using var placement = new ContainerBuilder().WithImage($"daprio/dapr:{Version}").WithCommand("./placement", "--port", "50005").WithNetwork(network).WithNetworkAliases("placement").Build();
        await using var scheduler = new ContainerBuilder().WithImage($"daprio/dapr:{Version}").WithCommand("./scheduler", "--port", "50006", "--etcd-data-dir", "/tmp/scheduler")
            .WithTmpfsMount("/tmp").WithNetwork(network).WithNetworkAliases("scheduler").Build();
        await Task.WhenAll(redis.StartAsync(stop), placement.StartAsync(stop), scheduler.StartAsync(stop));

        var builder = new ContainerBuilder().WithImage($"daprio/daprd:{Version}").WithNetwork(network)
            .WithCommand("./daprd", "--app-id", "orchestrator", "--dapr-http-port", $"{Http}", "--dapr-grpc-port", $"{Grpc}", "--resources-path", "/components",
                "--placement-host-address", "placement:50005", "--scheduler-host-address", "scheduler:50006")
            .WithPortBinding(Http, assignRandomHostPort: true).WithPortBinding(Grpc, assignRandomHostPort: true)
            .WithWaitStrategy(Wait.ForUnixContainer().UntilHttpRequestIsSucceeded(r => r.ForPath("/v1.0/healthz/outbound").ForPort(Http).ForStatusCode(HttpStatusCode.NoContent)));
        foreach (var file in Directory.EnumerateFiles(Path.Combine(Suite.Root, "dapr-components", "redis")))
        {
            var text = (await File.ReadAllTextAsync(file, stop)).Replace("localhost:6379", "redis:6379", StringComparison.Ordinal);
            builder = builder.WithResourceMapping(Encoding.UTF8.GetBytes(text), $"/components/{Path.GetFileName(file)}");
        }
        await using var daprd = builder.Build();
        await daprd.StartAsync(stop);

        await Suite.PassesAsync(
            "Integration", ["-namespace", "LeanPipe.Integration.DaprBehaviour"],
            ("LEANPIPE_DAPR_HTTP", $"http://{daprd.Hostname}:{daprd.GetMappedPublicPort(Http)}"), ("LEANPIPE_DAPR_GRPC", $"http://{daprd.Hostname}:{daprd.GetMappedPublicPort(Grpc)}"));
    }
}
