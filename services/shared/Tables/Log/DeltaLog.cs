using System.Text;
using System.Text.Json;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Tables;

/// <summary>The commits of <c>_delta_log/</c>: one object per version, twenty digits, newline-delimited actions, never overwritten.</summary>
static class DeltaLog
{
    /// <summary>Commits are small; this many are on their way at once.</summary>
    const int ReadsAtOnce = 16;

    /// <summary>The newest version; null when there is no table.</summary>
    public static async Task<long?> LatestAsync(IObjectStore store, TableName table, CancellationToken cancellationToken) =>
        (await LogListing.ReadAsync(store, table, cancellationToken)).Latest;

    /// <summary>The actions of the versions from <paramref name="first"/> to <paramref name="last"/>, in order.</summary>
    public static async Task<IReadOnlyList<IReadOnlyList<DeltaAction>>> ReadAsync(
        IObjectStore store, TableName table, long first, long last, CancellationToken cancellationToken)
    {
        var commits = new IReadOnlyList<DeltaAction>[last - first + 1];
        await Parallel.ForAsync(0, commits.Length, new ParallelOptions { MaxDegreeOfParallelism = ReadsAtOnce, CancellationToken = cancellationToken }, async (index, token) =>
            commits[index] = await ReadAsync(store, table, first + index, token));
        return commits;
    }

    public static async Task<IReadOnlyList<DeltaAction>> ReadAsync(IObjectStore store, TableName table, long version, CancellationToken cancellationToken)
    {
        var bytes = await store.GetAsync(LakeLayout.TableCommit(table, version), cancellationToken)
            ?? throw Corrupt(table, $"version {version} was listed but is not there", "Only a clean-up of old versions deletes a log's objects; open the table again.");
        return Parse(table, version, bytes);
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
                actions.Add(ParseLine(line));
            }
            catch (JsonException e)
            {
                throw Corrupt(table, $"line {actions.Count + 1} of version {version} is no action: {e.Message}", "Restore the object.", e);
            }
        }
        return actions;
    }

    /// <exception cref="JsonException">The line is no action.</exception>
    public static DeltaAction ParseLine(string line)
    {
        var action = JsonSerializer.Deserialize(line, DeltaJson.Log.DeltaAction);
        return action is null or { Add.Path: null } or { Remove.Path: null } or { MetaData.SchemaString: null } or { Txn.AppId: null }
            ? throw new JsonException("a member that the protocol requires is missing")
            : action;
    }

    /// <summary>When a commit was made, as its commitInfo says; null when it says nothing.</summary>
    public static DateTimeOffset? CommittedAt(IReadOnlyList<DeltaAction> actions)
    {
        foreach (var action in actions)
        {
            if (action.CommitInfo is { ValueKind: JsonValueKind.Object } info && info.TryGetProperty("timestamp", out var at) && at.ValueKind == JsonValueKind.Number && at.TryGetInt64(out var milliseconds))
                return DateTimeOffset.FromUnixTimeMilliseconds(milliseconds);
        }
        return null;
    }

    public static LakeException Corrupt(TableName table, string found, string todo, Exception? inner = null) =>
        new("lake.corrupt_log", $"The log of table '{table}' ({LakeLayout.TableLog(table)}) is damaged: {found}. {todo}", inner: inner);
}
