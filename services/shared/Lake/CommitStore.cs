using System.Text.Json;
using System.Text.Json.Serialization;

namespace LeanPipe.Lake;

/// <summary>A store for the one process that commits: where put-if-absent does not have exactly one winner, this process gives it one.</summary>
/// <remarks>
/// <para>The first conditional put asks the store (<see cref="StoreProbe.HasOneWinnerAsync"/>). If it keeps its word, every call goes straight through. If not, conditional puts of this process
/// come one after another (look, then put), and only while it holds the lease <see cref="LakeLayout.CommitterLease"/>, which a second committer finds taken.</para>
/// <para>What that cannot promise: on such a store nothing is atomic, so a process that is stopped between its look at the lease and its put for longer than <see cref="Margin"/>, or two machines whose
/// clocks are further apart than that, may both commit. Run one orchestrator there; on a store that passes the probe any number is safe.</para>
/// </remarks>
public sealed class CommitStore(IObjectStore inner, TimeProvider time) : IObjectStore, IDisposable
{
    static readonly TimeSpan LeaseLasts = TimeSpan.FromMinutes(1);
    static readonly TimeSpan RenewBefore = TimeSpan.FromSeconds(30);

    /// <summary>So long before its end the lease is not trusted any more.</summary>
    static readonly TimeSpan Margin = TimeSpan.FromSeconds(15);

    /// <summary>Between writing the lease and reading it back: another one that looked at the same time has written by then.</summary>
    static readonly TimeSpan Settles = TimeSpan.FromSeconds(2);

    readonly string holder = $"{Environment.MachineName}-{Environment.ProcessId}-{Guid.NewGuid().ToString("N")[..8]}";
    readonly SemaphoreSlim turn = new(1);
    bool? hasOneWinner;
    DateTimeOffset held;

    public Uri Root => inner.Root;

    /// <summary>Whether this process serialises commits; null until it had to know.</summary>
    public bool? IsSerialised => !hasOneWinner;

    public string? LocalPath(string key) => inner.LocalPath(key);

    public ValueTask<long?> SizeAsync(string key, CancellationToken cancellationToken) => inner.SizeAsync(key, cancellationToken);

    public ValueTask<ReadOnlyMemory<byte>?> GetAsync(string key, CancellationToken cancellationToken) => inner.GetAsync(key, cancellationToken);

    public ValueTask<Stream?> OpenAsync(string key, long offset, long? length, CancellationToken cancellationToken) => inner.OpenAsync(key, offset, length, cancellationToken);

    public ValueTask PutAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) => inner.PutAsync(key, content, cancellationToken);

    public ValueTask PutAsync(string key, Stream content, string sha256, CancellationToken cancellationToken) => inner.PutAsync(key, content, sha256, cancellationToken);

    public async ValueTask<bool> PutIfAbsentAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        if (hasOneWinner is true) return await inner.PutIfAbsentAsync(key, content, cancellationToken);
        await turn.WaitAsync(cancellationToken);
        try
        {
            hasOneWinner ??= await StoreProbe.HasOneWinnerAsync(inner, cancellationToken);
            if (hasOneWinner is true) return await inner.PutIfAbsentAsync(key, content, cancellationToken);
            await HoldAsync(cancellationToken);
            if (await inner.SizeAsync(key, cancellationToken) is not null) return false;
            await inner.PutAsync(key, content, cancellationToken);
            return true;
        }
        finally
        {
            turn.Release();
        }
    }

    public ValueTask PutFileAsync(string key, string path, CancellationToken cancellationToken) => inner.PutFileAsync(key, path, cancellationToken);

    public ValueTask PutFileAsync(string key, string path, string sha256, CancellationToken cancellationToken) => inner.PutFileAsync(key, path, sha256, cancellationToken);

    public ValueTask CopyAsync(string sourceKey, string targetKey, CancellationToken cancellationToken) => inner.CopyAsync(sourceKey, targetKey, cancellationToken);

    public IAsyncEnumerable<ListedObject> ListAsync(string prefix, CancellationToken cancellationToken) => inner.ListAsync(prefix, cancellationToken);

    public IAsyncEnumerable<string> ListFoldersAsync(string prefix, CancellationToken cancellationToken) => inner.ListFoldersAsync(prefix, cancellationToken);

    public ValueTask SetStorageClassAsync(string key, string storageClass, CancellationToken cancellationToken) => inner.SetStorageClassAsync(key, storageClass, cancellationToken);

    public ValueTask DeleteAsync(string key, CancellationToken cancellationToken) => inner.DeleteAsync(key, cancellationToken);

    public void Dispose()
    {
        turn.Dispose();
        (inner as IDisposable)?.Dispose();
    }

    async Task HoldAsync(CancellationToken cancellationToken)
    {
        if (held - time.GetUtcNow() > RenewBefore) return;
        await RequireFreeAsync(cancellationToken);
        var until = time.GetUtcNow() + LeaseLasts;
        var first = held <= time.GetUtcNow() + Margin;
        await inner.PutJsonAsync(LakeLayout.CommitterLease, new(holder, until), CommitStoreJson.Default.CommitterLease, cancellationToken);
        if (first)
        {
            await Task.Delay(Settles, time, cancellationToken);
            await RequireFreeAsync(cancellationToken);
        }
        held = until;
    }

    async Task RequireFreeAsync(CancellationToken cancellationToken)
    {
        if (await inner.GetJsonAsync(LakeLayout.CommitterLease, CommitStoreJson.Default.CommitterLease, cancellationToken) is not { } lease) return;
        if (lease.Holder == holder || lease.Until + Margin <= time.GetUtcNow()) return;
        throw new LakeException(
            "lake.busy", $"The store {inner.Root} does not let exactly one of several writers win, so one process commits at a time, and {lease.Holder} does until {lease.Until:HH:mm:ss} UTC. " +
            "Run one orchestrator on this store; if the other one has died, its lease ends by itself.", isTransient: true);
    }
}

/// <summary>Who commits on a store whose conditional puts cannot be trusted.</summary>
sealed record CommitterLease(string Holder, DateTimeOffset Until)
{
    public int Version { get; init; } = 1;
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(CommitterLease))]
sealed partial class CommitStoreJson : JsonSerializerContext;
