namespace LeanPipe.EndToEnd.Kubernetes;

/// <summary>A real Kubernetes, and what an installation there needs: the four images on its nodes, and an S3 that its pods reach.</summary>
/// <remarks>
/// LEANPIPE_TEST_KUBECONFIG names it; LEANPIPE_TEST_KUBE_S3 is the address of LEANPIPE_TEST_S3 as pods see it; LEANPIPE_TEST_KUBE_TAG is the images' tag, the chart's own when it is not set. Where the
/// cluster gives no volumes by itself, LEANPIPE_TEST_KUBE_VOLUMES names a folder that is the same here and on its one node. LEANPIPE_TEST_KUBECTL and LEANPIPE_TEST_HELM take the place of those on the path.
/// </remarks>
sealed record Cluster
{
    /// <summary>The repository's root, which the chart's path is relative to.</summary>
    public static string Root => SourceTree.Root;

    public required Tool Kubectl { get; init; }

    public required Tool Helm { get; init; }

    public required string S3ForPods { get; init; }

    public required string S3 { get; init; }

    public required string Key { get; init; }

    public required string Secret { get; init; }

    public required string DuckDb { get; init; }

    public string? Tag { get; init; }

    public string? Volumes { get; init; }

    /// <summary>Skips the test where there is none.</summary>
    public static Cluster Require()
    {
        var kubeconfig = Component.Required("LEANPIPE_TEST_KUBECONFIG");
        return new()
        {
            Kubectl = new(Component.Given("LEANPIPE_TEST_KUBECTL") ?? "kubectl", kubeconfig),
            Helm = new(Component.Given("LEANPIPE_TEST_HELM") ?? "helm", kubeconfig),
            S3ForPods = Component.Required("LEANPIPE_TEST_KUBE_S3"),
            S3 = Component.Required("LEANPIPE_TEST_S3"),
            Key = Component.Required("LEANPIPE_TEST_S3_KEY"),
            Secret = Component.Required("LEANPIPE_TEST_S3_SECRET"),
            DuckDb = Component.Required("LEANPIPE_TEST_DUCKDB"),
            Tag = Component.Given("LEANPIPE_TEST_KUBE_TAG"),
            Volumes = Component.Given("LEANPIPE_TEST_KUBE_VOLUMES"),
        };
    }
}
