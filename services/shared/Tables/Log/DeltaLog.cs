using System.Globalization;
using System.Text;
using System.Text.Json;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Tables;

/// <summary>The objects of <c>_delta_log/</c>: one per version, twenty digits, newline-delimited actions, never overwritten.</summary>
static class DeltaLog
{
    /// <summary>Commits are small; this many are on their way at once.</summary>
    const int ReadsAtOnce = 16;

    /// <summary>The versions there are, which must be 0, 1, 2, … without a gap.</summary>
    public static async Task<long?> LatestAsync(IObjectStore store, TableName table, CancellationToken cancellationToken)
    {
        long count = 0;
        var prefix = LakeLayout.TableLog(table);
        await foreach (var item in store.ListAsync(prefix, cancellationToken))
        {
            if (Version(item.Key[prefix.Length..]) is not { } version) continue;
            if (version != count)
            {
                throw Corrupt(
                    table, $"version {count} is missing although version {version} is there", version > 0 && count == 0
                        ? "This version of LeanPipe reads no checkpoints, so the log must begin at 0."
                        : "Versions must be contiguous; restore the missing object.");
            }
            count++;
        }
        return count == 0 ? null : count - 1;
    }

    /// <summary>The actions of the versions from <paramref name="first"/> to <paramref name="last"/>, in order.</summary>
    public static async Task<IReadOnlyList<IReadOnlyList<DeltaAction>>> ReadAsync(
        IObjectStore store, TableName table, long first, long last, CancellationToken cancellationToken)
    {
        var commits = new IReadOnlyList<DeltaAction>[last - first + 1];
        await Parallel.ForAsync(0, commits.Length, new ParallelOptions { MaxDegreeOfParallelism = ReadsAtOnce, CancellationToken = cancellationToken }, async (index, token) =>
        {
            var version = first + index;
            var bytes = await store.GetAsync(LakeLayout.TableCommit(table, version), token)
                ?? throw Corrupt(table, $"version {version} was listed but is not there", "Nothing may delete a log's objects.");
            commits[index] = Parse(table, version, bytes);
        });
        return commits;
    }

    public static ReadOnlyMemory<byte> Format(IEnumerable<DeltaAction> actions)
    {
        var bytes = new MemoryStream();
        foreach (var action in actions)
        {
            JsonSerializer.Serialize(bytes, action, DeltaJson.Log.DeltaAction);
            bytes.WriteByte((byte)'\n');
        }
        return bytes.GetBuffer().AsMemory(0, (int)bytes.Length);
    }

    public static IReadOnlyList<DeltaAction> Parse(TableName table, long version, ReadOnlyMemory<byte> bytes)
    {
        var actions = new List<DeltaAction>();
        foreach (var line in Encoding.UTF8.GetString(bytes.Span).Split('\n'))
        {
            if (line.Length == 0) continue;
            try
            {
                var action = JsonSerializer.Deserialize(line, DeltaJson.Log.DeltaAction);
                if (action is null or { Add.Path: null } or { Remove.Path: null } or { MetaData.SchemaString: null } or { Txn.AppId: null })
                    throw new JsonException("a member that the protocol requires is missing");
                actions.Add(action);
            }
            catch (JsonException e)
            {
                throw Corrupt(table, $"line {actions.Count + 1} of version {version} is no action: {e.Message}", "Restore the object.", e);
            }
        }
        return actions;
    }

    public static LakeException Corrupt(TableName table, string found, string todo, Exception? inner = null) =>
        new("lake.corrupt_log", $"The log of table '{table}' ({LakeLayout.TableLog(table)}) is damaged: {found}. {todo}", inner: inner);

    static long? Version(string name) =>
        name.Length == 25 && name.EndsWith(".json", StringComparison.Ordinal) && long.TryParse(name.AsSpan(0, 20), NumberStyles.None, CultureInfo.InvariantCulture, out var version)
            ? version
            : null;
}
