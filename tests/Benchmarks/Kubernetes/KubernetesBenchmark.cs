namespace LeanPipe.Benchmarks.Kubernetes;

/// <summary>What containers cost: start-up and size of images, a step as a Job and in a warm pod, the edge profile at rest. Parts whose component is missing are left out, and it says so.</summary>
static class KubernetesBenchmark
{
    public static async Task<IReadOnlyList<Result>> MeasureAsync()
    {
        var results = new List<Result>();
        if (await ImageStart.IsPossibleAsync()) await AddAsync(ImageStart.MeasureAsync());
        else await Console.Error.WriteLineAsync("No docker engine with the image leanpipe/steprunner (tag LEANPIPE_TEST_KUBE_TAG, or ci): start-up and sizes of images are left out.");
        if (Installation.IsPossible) await AddAsync(ClusterRuns.MeasureAsync());
        else await Console.Error.WriteLineAsync("LEANPIPE_TEST_KUBECONFIG and LEANPIPE_TEST_KUBE_VOLUMES name no cluster: Jobs, warm pods and memory are left out.");
        return results;

        // Told as they come: minutes lie between the first and the last.
        async Task AddAsync(IAsyncEnumerable<Result> measured)
        {
            await foreach (var result in measured)
            {
                await Console.Error.WriteLineAsync($"{result.Case}: {result.Metric}: {Report.Rounded(result.Value)} {result.Unit}");
                results.Add(result);
            }
        }
    }
}
