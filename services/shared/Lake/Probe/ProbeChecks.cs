using System.Text;

namespace LeanPipe.Lake;

/// <summary>Each check answers null, or what it saw instead of what it expected.</summary>
sealed class ProbeChecks(IObjectStore store, string prefix, CancellationToken cancellationToken)
{
    public async Task<string?> OneWinner(int writers)
    {
        var key = $"{prefix}race";
        var start = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var racers = Enumerable.Range(0, writers).Select(async n =>
        {
            await start.Task;
            return (Writer: n, Won: await store.PutIfAbsentAsync(key, Bytes($"writer {n}"), cancellationToken));
        }).ToList();
        start.SetResult();
        var winners = (await Task.WhenAll(racers)).Where(r => r.Won).Select(r => r.Writer).ToList();
        if (winners.Count != 1) return $"{winners.Count} of {writers} racing writers were told that they made the object; exactly one may be. Commits on this store can be lost.";
        if (await Read(key) != $"writer {winners[0]}") return "The object holds the bytes of a writer that was told it lost.";
        if (await store.PutIfAbsentAsync(key, Bytes("late"), cancellationToken)) return "A later put-if-absent replaced an object that was there.";
        return await Read(key) == $"writer {winners[0]}" ? null : "A refused put-if-absent changed the object.";
    }

    public async Task<string?> ReadAfterWrite()
    {
        var key = $"{prefix}read";
        for (var round = 0; round < 3; round++)
        {
            await store.PutAsync(key, Bytes($"round {round}"), cancellationToken);
            if (await Read(key) is var found && found != $"round {round}")
                return $"A get right after a put of round {round} saw {(found is null ? "nothing" : "an older object")}.";
        }
        return await store.SizeAsync(key, cancellationToken) == "round 0".Length ? null : "The size right after a put is not the object's.";
    }

    public async Task<string?> RangedRead()
    {
        var key = $"{prefix}range";
        await store.PutAsync(key, Bytes("0123456789"), cancellationToken);
        await using var stream = await store.OpenAsync(key, 3, 4, cancellationToken);
        if (stream is null) return "The object could not be opened right after its put.";
        using var reader = new StreamReader(stream);
        var found = await reader.ReadToEndAsync(cancellationToken);
        return found == "3456" ? null : $"A range of 4 bytes at 3 brought {found.Length} other bytes.";
    }

    public async Task<string?> ListAfterWrite()
    {
        string[] names = ["list/a-b", "list/a/x", "list/b"];
        foreach (var name in names) await store.PutAsync(prefix + name, Bytes(name), cancellationToken);
        var found = await List($"{prefix}list/");
        return found.SequenceEqual(names.Select(n => prefix + n)) ? null : $"A list right after three puts showed {found.Count} keys, or not in ordinal order.";
    }

    public async Task<string?> Copy()
    {
        await store.PutAsync($"{prefix}from", Bytes("copied"), cancellationToken);
        await store.CopyAsync($"{prefix}from", $"{prefix}to", cancellationToken);
        await store.PutAsync($"{prefix}from", Bytes("changed"), cancellationToken);
        return await Read($"{prefix}to") == "copied" ? null : "A copy does not keep the bytes that its source had.";
    }

    public async Task<string?> Delete()
    {
        var key = $"{prefix}delete";
        await store.PutAsync(key, Bytes("x"), cancellationToken);
        await store.DeleteAsync(key, cancellationToken);
        if (await store.GetAsync(key, cancellationToken) is not null) return "An object is still read after its deletion.";
        if ((await List(key)).Count > 0) return "An object is still listed after its deletion.";
        await store.DeleteAsync(key, cancellationToken);
        return await store.PutIfAbsentAsync(key, Bytes("y"), cancellationToken) ? null : "Put-if-absent finds an object that was deleted.";
    }

    public async Task<string?> CaseSensitiveKeys()
    {
        await store.PutAsync($"{prefix}case", Bytes("lower"), cancellationToken);
        await store.PutAsync($"{prefix}CASE", Bytes("upper"), cancellationToken);
        return await Read($"{prefix}case") == "lower" ? null : "Keys that differ only in case are one object here: do not use run ids that differ only in case.";
    }

    public async Task<string?> NothingLeft() => await List(prefix) is { Count: > 0 } left ? $"{left.Count} objects of the probe could not be removed: {left[0]}, …" : null;

    async Task<string?> Read(string key) => await store.GetAsync(key, cancellationToken) is { } bytes ? Encoding.UTF8.GetString(bytes.Span) : null;

    async Task<List<string>> List(string under)
    {
        var keys = new List<string>();
        await foreach (var item in store.ListAsync(under, cancellationToken)) keys.Add(item.Key);
        return keys;
    }

    static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
