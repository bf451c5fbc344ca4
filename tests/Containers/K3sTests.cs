using Testcontainers.K3s;

namespace LeanPipe.Containers;

/// <summary>The chart on k3s of today, its lake in MinIO: what CI runs on an old Kubernetes. Wants the four images (leanpipe/…:ci), helm and kubectl, and a DuckDB command (LEANPIPE_TEST_DUCKDB).</summary>
public sealed class K3sTests
{
    const string Folder = "/images", File = "images.tar";

    static readonly string[] Names = ["gateway", "orchestrator", "steprunner", "sidecar"];

    [Fact]
    public async Task From_a_socket_to_a_table_on_k3s()
    {
        if (Environment.GetEnvironmentVariable("LEANPIPE_TEST_DUCKDB") is null) Assert.Skip("LEANPIPE_TEST_DUCKDB names no DuckDB command.");
        var stop = TestContext.Current.CancellationToken;
        var folder = Directory.CreateTempSubdirectory("leanpipe-k3s-");
        try
        {
            await using var minio = await Minio.StartAsync();
            await using var k3s = new K3sBuilder().WithImage("rancher/k3s:v1.32.4-k3s1").Build();
            await k3s.StartAsync(stop);

            var saved = Path.Combine(folder.FullName, File);
            await Suite.RunAsync("docker", ["save", "-o", saved, .. Names.Select(n => $"leanpipe/{n}:ci")]);
            await k3s.CopyAsync(new FileInfo(saved), Folder, ct: stop);
            var loaded = await k3s.ExecAsync(["ctr", "images", "import", $"{Folder}/{File}"], stop);
            loaded.ExitCode.ShouldBe(0, loaded.Stderr);

            var kubeconfig = Path.Combine(folder.FullName, "kubeconfig");
            await System.IO.File.WriteAllTextAsync(kubeconfig, await k3s.GetKubeconfigAsync(), stop);
            // k3s brings volumes by itself; its pods reach MinIO by its container's address.
            await Suite.PassesAsync("EndToEnd", ["-namespace", "LeanPipe.EndToEnd.Kubernetes"],
                [.. Minio.Environment(minio), ("LEANPIPE_TEST_KUBECONFIG", kubeconfig), ("LEANPIPE_TEST_KUBE_TAG", "ci"), ("LEANPIPE_TEST_KUBE_S3", $"http://{minio.IpAddress}:{Minio.Port}")]);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
