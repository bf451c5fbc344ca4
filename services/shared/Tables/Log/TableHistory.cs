using System.Text.Json;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Tables;

/// <summary>What one version did to a table. Rows are those of the files that it added and removed.</summary>
/// <param name="Operation"><c>WRITE</c>, <c>MERGE</c>, <c>OPTIMIZE</c>, or another writer's word.</param>
/// <param name="Publish">What was published; null for a compaction and for other writers.</param>
/// <param name="DataChange">False for a pure compaction.</param>
public sealed record TableVersion(long Version, DateTimeOffset CommittedAt, string Operation, TableVersionPublish? Publish, long RowsAdded, long RowsRemoved, long Rows, bool DataChange);

public sealed record TableVersionPublish(PipelineName Pipeline, WindowId Window, int Revision, RunId Run);

/// <summary>A table's versions with what each was made from and how many rows it brought: what an audit compares with the windows.</summary>
public static class TableHistory
{
    /// <summary>Every version that can still be read, oldest first. One that is read from a checkpoint without its commit is not listed; its rows are in the next one's sum.</summary>
    public static async Task<IReadOnlyList<TableVersion>> ReadAsync(IObjectStore store, TableName table, CancellationToken cancellationToken)
    {
        var listing = await LogListing.ReadAsync(store, table, cancellationToken);
        if (listing.Latest is not { } latest) return [];
        var rows = new Dictionary<string, long>();
        var first = listing.Earliest;
        if (first > 0)
        {
            foreach (var file in (await DeltaTable.OpenAsync(store, table, cancellationToken, first))!.Files) rows[file.Path] = file.Rows;
            first++;
        }
        var versions = new List<TableVersion>();
        var commits = await DeltaLog.ReadAsync(store, table, first, latest, cancellationToken);
        for (var index = 0; index < commits.Count; index++)
        {
            long added = 0, removed = 0;
            var changes = false;
            foreach (var action in commits[index])
            {
                if (action.Remove is { } remove && rows.Remove(Uri.UnescapeDataString(remove.Path), out var old)) removed += old;
                if (action.Add is { } add) added += rows[Uri.UnescapeDataString(add.Path)] = DeltaStats.RowsOf(add.Stats) ?? 0;
                changes |= action.Add?.DataChange ?? action.Remove?.DataChange ?? false;
            }
            var (operation, publish) = Info(commits[index]);
            versions.Add(new(first + index, DeltaLog.CommittedAt(commits[index]) ?? listing.Commits[first + index], operation, publish, added, removed, rows.Values.Sum(), changes));
        }
        return versions;
    }

    static (string Operation, TableVersionPublish? Publish) Info(IReadOnlyList<DeltaAction> commit)
    {
        if (commit.Select(a => a.CommitInfo).FirstOrDefault(i => i is { ValueKind: JsonValueKind.Object }) is not { } info) return ("", null);
        var operation = Text(info, "operation") ?? "";
        if (!info.TryGetProperty("operationParameters", out var made) || made.ValueKind != JsonValueKind.Object) return (operation, null);
        return Text(made, "pipeline") is { } pipeline && Text(made, "window") is { } window && Text(made, "run") is { } run && int.TryParse(Text(made, "revision"), out var revision)
            ? (operation, new(new(pipeline), WindowId.Parse(window), revision, new(run)))
            : (operation, null);
    }

    static string? Text(JsonElement o, string name) => o.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
