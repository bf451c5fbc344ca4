namespace LeanPipe.Lake;

/// <summary>One thing that the lake relies on, and whether this store does it.</summary>
/// <param name="Name">Stable, snake_case.</param>
/// <param name="Required">Without it, nothing that the lake promises holds.</param>
/// <param name="Detail">What was seen and what to do; one sentence of praise is enough when it holds.</param>
public sealed record StoreProperty(string Name, bool Holds, bool Required, string Detail);

public sealed record StoreProbeResult(IReadOnlyList<StoreProperty> Properties)
{
    /// <summary>Everything required holds.</summary>
    public bool Passed => Properties.All(p => p.Holds || !p.Required);
}

/// <summary>Tries on the live store what the lake's guarantees rest on, for S3 services differ. Small, at start-up; leaves no object behind.</summary>
public static class StoreProbe
{
    /// <exception cref="LakeException">The store could not be asked: unreachable, no rights, no bucket.</exception>
    public static async Task<StoreProbeResult> RunAsync(IObjectStore store, CancellationToken cancellationToken, int writers = 8)
    {
        var prefix = LakeLayout.Probe(Guid.NewGuid().ToString("N"));
        var checks = new ProbeChecks(store, prefix, cancellationToken);
        var properties = new List<StoreProperty>();
        try
        {
            properties.Add(await Run("put_if_absent_has_one_winner", true, () => checks.OneWinner(writers)));
            properties.Add(await Run("read_after_write", true, checks.ReadAfterWrite));
            properties.Add(await Run("ranged_read", true, checks.RangedRead));
            properties.Add(await Run("list_after_write", true, checks.ListAfterWrite));
            properties.Add(await Run("copy", true, checks.Copy));
            properties.Add(await Run("delete", true, checks.Delete));
            properties.Add(await Run("case_sensitive_keys", false, checks.CaseSensitiveKeys));
        }
        finally
        {
            await RemoveAll(store, prefix, cancellationToken);
        }
        properties.Add(await Run("leaves_nothing", true, checks.NothingLeft));
        return new(properties);
    }

    /// <summary>Only the property that commits rest on. Leaves no object behind.</summary>
    public static async Task<bool> HasOneWinnerAsync(IObjectStore store, CancellationToken cancellationToken, int writers = 8)
    {
        var prefix = LakeLayout.Probe(Guid.NewGuid().ToString("N"));
        try
        {
            return (await Run("put_if_absent_has_one_winner", true, () => new ProbeChecks(store, prefix, cancellationToken).OneWinner(writers))).Holds;
        }
        finally
        {
            await RemoveAll(store, prefix, cancellationToken);
        }
    }

    static async Task<StoreProperty> Run(string name, bool required, Func<Task<string?>> check)
    {
        try
        {
            var fault = await check();
            return new(name, fault is null, required, fault ?? "holds");
        }
        catch (LakeException e) when (e.Code is "lake.unsupported" or "lake.refused")
        {
            return new(name, false, required, e.Message);
        }
    }

    static async Task RemoveAll(IObjectStore store, string prefix, CancellationToken cancellationToken)
    {
        var keys = new List<string>();
        await foreach (var item in store.ListAsync(prefix, cancellationToken)) keys.Add(item.Key);
        foreach (var key in keys) await store.DeleteAsync(key, cancellationToken);
    }
}
