using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Tables;

/// <summary>Makes a step's chunks a version of a Delta table. Safe to call again at any time, and from several runs at once.</summary>
/// <remarks>
/// <para>The order is the guarantee; each step is durable before the next begins:</para>
/// <para>1. the chunks are copied below the table's folder, under names that follow from run, position and contents: nobody reads them yet;</para>
/// <para>2. the commit, one put-if-absent of the next version: readers see all of it or nothing;</para>
/// <para>3. every tenth version a checkpoint, which only saves readers time (<see cref="Checkpoint"/>);</para>
/// <para>4. the catalog, which follows from the logs (<see cref="TableCatalog"/>).</para>
/// <para>
/// A crash after 1 leaves files that no log names, which a repeat finds and uses; a crash after 2 leaves a catalog of the version before, which a repeat (or the
/// next publish of any table) brings up to date. The commit says in <c>txn</c> actions what it was made from (<see cref="TablePublish"/>): a run that has committed is not committed
/// again, and what was made from older data than the committed rows does not take their place, whichever comes last.
/// </para>
/// <para>
/// Two publishers that race for a version: one wins, the other reads what was committed, decides again from the start, and takes the next version. So every commit's
/// removes are computed against exactly the version before it.
/// </para>
/// </remarks>
public static class TablePublisher
{
    /// <summary>Each lost race means that somebody else committed, so so many in a row say that something is wrong with the store.</summary>
    const int MaxRaces = 1000;

    /// <param name="columns">With DuckDB's type text; types that Delta lacks are refused before anything is written.</param>
    /// <param name="chunks">May be empty: the window, or the table, has no rows then. Chunks without rows are left out.</param>
    /// <returns>The version that holds the run's rows, and how many; the newer publish's version, 0 rows and <see cref="PublishedTable.Superseded"/> when the run came too late.</returns>
    /// <param name="work">What a merge, which rewrites files, may use of this machine. Merges and compactions of a process come one at a time.</param>
    /// <exception cref="LakeException">
    /// <c>lake.unsupported_type</c>, <c>lake.bad_columns</c>, <c>lake.type_change</c>, <c>lake.merge_key</c>: the step's SQL must change. <c>lake.no_room</c>: the merge needs more than <paramref name="work"/>. <c>lake.missing</c>: a chunk is gone. <c>lake.append_untold</c>: the run is so old that its rows may have been added.
    /// <c>lake.unsupported_table</c>: another writer changed the table. Others: the store; transient ones are worth a repeat.
    /// </exception>
    public static async Task<PublishedTable> PublishAsync(
        IObjectStore store, PublishDefinition definition, PublishOrigin origin, IReadOnlyList<OutputColumn> columns, IReadOnlyList<Chunk> chunks, TimeProvider time, CancellationToken cancellationToken,
        TableWork? work = null)
    {
        // Taken before the table is read, so that merges of one process never race with each other.
        using var turn = definition.Mode == PublishMode.Merge && chunks.Count > 0 ? await TableTurns.Rewrites.TakeAsync(cancellationToken) : null;
        var publish = new TablePublish(definition.Table, definition.Mode, origin, DeltaSchema.Of(columns), [.. chunks.Where(c => c.Object.Rows > 0)]);
        var current = await DeltaTable.OpenAsync(store, definition.Table, cancellationToken);
        var copied = false;
        for (var races = 0; ; races++)
        {
            if (publish.Settled(current, time.GetUtcNow()) is { } settled)
            {
                await Checkpoint.WriteIfDueAsync(store, current!, time.GetUtcNow(), cancellationToken);
                await TableCatalog.RefreshAsync(store, cancellationToken, definition.Table);
                return settled;
            }
            publish.RequireTold(current, time.GetUtcNow());
            var change = definition.Mode == PublishMode.Merge
                ? await new TableMerge(store, publish, definition.Key ?? [], work ?? new(), time.GetUtcNow()).ChangeAsync(current, cancellationToken)
                : publish.Change(current);
            var actions = publish.Commit(current, change, time.GetUtcNow());
            if (!copied) await CopyAsync(store, publish, cancellationToken);
            copied = true;
            var version = current is null ? 0 : current.Version + 1;
            if (await store.PutIfAbsentAsync(LakeLayout.TableCommit(definition.Table, version), DeltaLog.Format(actions), cancellationToken))
            {
                var committed = current is null ? DeltaTable.First(definition.Table, actions) : current.After(actions);
                await Checkpoint.WriteIfDueAsync(store, committed, time.GetUtcNow(), cancellationToken);
                await TableCatalog.RefreshAsync(store, cancellationToken, definition.Table);
                return new(definition.Table, version, publish.Rows);
            }
            if (races == MaxRaces)
            {
                throw new LakeException(
                    "lake.contention", $"Table '{definition.Table}' was committed by others {MaxRaces} times in a row while {origin.Run} tried. Run the store probe: the store may not keep what it says.", true);
            }
            current = current is null ? await DeltaTable.OpenAsync(store, definition.Table, cancellationToken) : await current.RefreshAsync(store, cancellationToken);
        }
    }

    // A file that is there has the bytes that its name tells, so it is neither copied again nor overwritten.
    static async Task CopyAsync(IObjectStore store, TablePublish publish, CancellationToken cancellationToken) =>
        await Parallel.ForEachAsync(publish.Files, new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = cancellationToken }, async (file, token) =>
        {
            var target = LakeLayout.Table(publish.Table) + file.Path;
            // Of a merge, some chunks may have been written anew instead: this one is then not named, and left for the vacuum.
            if (await store.SizeAsync(target, token) != file.Chunk.Object.Bytes) await store.CopyAsync(file.Chunk.Object.Key, target, token);
        });
}
