using System.Security.Cryptography;
using LeanPipe.Contracts;
using LeanPipe.Lake;
using LeanPipe.Tables;

namespace LeanPipe.Cli.Audits;

/// <summary>A table's live files against what runs have published, and against the store.</summary>
static class TableSums
{
    /// <summary>The rows of a window in a table that is replaced window by window.</summary>
    public static IEnumerable<Break> OfWindow(DeltaTable table, RunDocuments run)
    {
        var publish = run.Plan.Steps.Select(s => s.Publish).FirstOrDefault(p => p?.Table == table.Name);
        if (publish is not { Mode: PublishMode.ReplaceWindow } || run.Record.Published.FirstOrDefault(p => p.Table == table.Name) is not { Superseded: not true } published) yield break;
        // Files that were rewritten for several windows no longer tell whose rows they hold.
        if (table.Files.Any(f => f.Window is null)) yield break;
        var folder = LakeLayout.TableWindow(run.Record.Pipeline, run.Record.Window);
        var files = table.Files.Where(f => f.Path.StartsWith(folder, StringComparison.Ordinal)).ToList();
        if (files.Exists(f => !f.Path[folder.Length..].StartsWith(run.Record.Run.Value + "-", StringComparison.Ordinal))) yield break;
        foreach (var found in Break.Unless(
                     $"window {run.Record.Window} of table {table.Name}", $"rows that run {run.Record.Run} has published = rows of the table's files", published.Rows, files.Sum(f => f.Rows),
                     LakeLayout.TableCommit(table.Name, Math.Min(published.Version, table.Version))))
            yield return found;
    }

    /// <summary>Every live file is there, as long as the log says; with <paramref name="read"/> its contents are those that were published.</summary>
    public static async IAsyncEnumerable<Break> OfFilesAsync(
        IObjectStore store, DeltaTable table, bool read, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken stop)
    {
        foreach (var file in table.Files)
        {
            var place = $"file of table {table.Name}";
            var size = await store.SizeAsync(file.Key, stop);
            if (size != file.Bytes)
            {
                yield return new(place, "bytes of the file", file.Bytes, size, file.Key);
                continue;
            }
            if (!read || file.Sha256 is null || await store.OpenAsync(file.Key, 0, null, stop) is not { } bytes) continue;
            await using (bytes)
                if (Convert.ToHexStringLower(await SHA256.HashDataAsync(bytes, stop)) != file.Sha256) yield return new(place, "the file's SHA-256 is as published (1 = it is)", 1, 0, file.Key);
        }
    }
}
