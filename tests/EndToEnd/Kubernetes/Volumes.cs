using System.Text.Json;

namespace LeanPipe.EndToEnd.Kubernetes;

/// <summary>Volumes for claims that no class of the cluster provides: folders on its one node, each kept for one claim. As with a class's volumes, the kubelet gives them to the pod's group.</summary>
sealed class Volumes(Cluster cluster, string space, params string[] claims) : IAsyncDisposable
{
    string Folder => Path.Combine(cluster.Volumes!, space);

    public async Task MakeAsync()
    {
        if (cluster.Volumes is null) return;
        foreach (var claim in claims)
        {
            var folder = Directory.CreateDirectory(Path.Combine(Folder, claim)).FullName;
            var volume = JsonSerializer.Serialize(new
            {
                apiVersion = "v1",
                kind = "PersistentVolume",
                metadata = new { name = $"{space}-{claim}" },
                spec = new
                {
                    capacity = new { storage = "20Gi" },
                    accessModes = new[] { "ReadWriteOnce" },
                    persistentVolumeReclaimPolicy = "Retain",
                    claimRef = new { @namespace = space, name = claim },
                    local = new { path = folder },
                    nodeAffinity = new { required = new { nodeSelectorTerms = new[] { new { matchExpressions = new[] { new { key = "kubernetes.io/hostname", @operator = "Exists" } } } } } },
                },
            });
            var (code, _, errors) = await cluster.Kubectl.TryAsync(["create", "-f", "-"], volume, TestContext.Current.CancellationToken);
            code.ShouldBe(0, errors);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (cluster.Volumes is null) return;
        await cluster.Kubectl.TryAsync(["delete", "persistentvolume", .. claims.Select(c => $"{space}-{c}"), "--ignore-not-found"], null, CancellationToken.None);
        if (Directory.Exists(Folder)) Directory.Delete(Folder, recursive: true);
    }
}
