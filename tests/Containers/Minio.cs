using System.Net;
using DotNet.Testcontainers.Builders;
using DotNet.Testcontainers.Containers;

namespace LeanPipe.Containers;

/// <summary>MinIO: another S3 than the one that CI runs against.</summary>
static class Minio
{
    public const string Key = "leanpipe", Secret = "leanpipe-secret";
    public const ushort Port = 9000;

    public static async Task<IContainer> StartAsync()
    {
        var container = new ContainerBuilder()
            .WithImage("minio/minio:RELEASE.2025-04-22T22-12-26Z")
            .WithCommand("server", "/data")
            .WithEnvironment("MINIO_ROOT_USER", Key)
            .WithEnvironment("MINIO_ROOT_PASSWORD", Secret)
            .WithPortBinding(Port, assignRandomHostPort: true)
            .WithWaitStrategy(Wait.ForUnixContainer().UntilHttpRequestIsSucceeded(r => r.ForPath("/minio/health/ready").ForPort(Port).ForStatusCode(HttpStatusCode.OK)))
            .Build();
        await container.StartAsync(TestContext.Current.CancellationToken);
        return container;
    }

    public static (string, string)[] Environment(IContainer minio) =>
        [("LEANPIPE_TEST_S3", $"http://{minio.Hostname}:{minio.GetMappedPublicPort(Port)}"), ("LEANPIPE_TEST_S3_KEY", Key), ("LEANPIPE_TEST_S3_SECRET", Secret)];
}

public sealed class MinioTests
{
    [Fact]
    public async Task A_lake_in_MinIO_is_a_lake()
    {
        await using var minio = await Minio.StartAsync();
        await Suite.PassesAsync(
            "Integration",
            ["-namespace", "LeanPipe.Integration.Lake", "-class", "LeanPipe.Integration.Orchestrator.S3RunTests", "-class", "LeanPipe.Integration.StepRunner.S3TaskTests"],
            Minio.Environment(minio));
    }
}
