namespace LeanPipe.EndToEnd.Kubernetes;

/// <summary>One installation for the tests that leave it as they found it; made by the first that needs it.</summary>
public sealed class SharedRelease : IAsyncDisposable
{
    Release? _release;

    internal async Task<Release> OfAsync(Cluster cluster) => _release ??= await Release.InstallAsync(cluster);

    public async ValueTask DisposeAsync()
    {
        if (_release is not null) await _release.DisposeAsync();
    }
}

[CollectionDefinition(nameof(InstalledChart))]
public sealed class InstalledChart : ICollectionFixture<SharedRelease>;
