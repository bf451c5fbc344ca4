using System.Collections.Immutable;
using System.Text.Json;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Tables;

/// <summary>What the actions of versions 0 to <paramref name="Version"/> come to.</summary>
sealed record DeltaState(
    long Version, DateTimeOffset CommittedAt, DeltaProtocol Protocol, DeltaMetaData MetaData, DeltaSchema Schema,
    ImmutableDictionary<string, DeltaFile> Files, ImmutableDictionary<string, DeltaTransaction> Transactions, ImmutableDictionary<string, DeltaRemove> Removed);

/// <summary>Replays a log: the newest protocol, metaData and txn per application id count, and the last of add and remove per path.</summary>
sealed class DeltaStateBuilder(TableName table)
{
    /// <summary>Readers of version 1 are asked for nothing beyond the JSON log and Parquet.</summary>
    public const int ReaderVersion = 1;

    readonly ImmutableDictionary<string, DeltaFile>.Builder files = ImmutableDictionary.CreateBuilder<string, DeltaFile>();
    readonly ImmutableDictionary<string, DeltaTransaction>.Builder transactions = ImmutableDictionary.CreateBuilder<string, DeltaTransaction>();
    readonly ImmutableDictionary<string, DeltaRemove>.Builder removed = ImmutableDictionary.CreateBuilder<string, DeltaRemove>();
    DeltaProtocol? protocol;
    DeltaMetaData? metaData;
    DeltaSchema? schema;
    DateTimeOffset committedAt;
    long version;

    public DeltaStateBuilder(TableName table, DeltaState known) : this(table)
    {
        files.AddRange(known.Files);
        transactions.AddRange(known.Transactions);
        removed.AddRange(known.Removed);
        (protocol, metaData, schema, committedAt, version) = (known.Protocol, known.MetaData, known.Schema, known.CommittedAt, known.Version);
    }

    public void Apply(long number, IReadOnlyList<DeltaAction> actions)
    {
        version = number;
        committedAt = DeltaLog.CommittedAt(actions) ?? committedAt;
        foreach (var action in actions)
        {
            switch (action)
            {
                case { Protocol: { } found }:
                    RequireReadable(found);
                    protocol = found;
                    break;
                case { MetaData: { } found }:
                    SetMetaData(found);
                    break;
                case { Txn: { } txn }:
                    transactions[txn.AppId] = new(txn.AppId, txn.Version, number) { LastUpdated = txn.LastUpdated };
                    break;
                case { Remove: { } remove }:
                    var gone = Uri.UnescapeDataString(remove.Path);
                    files.Remove(gone);
                    removed[gone] = remove;
                    break;
                case { Add: { } add }:
                    var file = File(add);
                    files[file.Path] = file;
                    removed.Remove(file.Path);
                    break;
            }
        }
    }

    public DeltaState Build() => protocol is null || metaData is null
        ? throw DeltaLog.Corrupt(table, "version 0 has no protocol or no metaData", "Its first commit must carry both.")
        : new(version, committedAt, protocol, metaData, schema!, files.ToImmutable(), transactions.ToImmutable(), removed.ToImmutable());

    void RequireReadable(DeltaProtocol found)
    {
        if (found.MinReaderVersion <= ReaderVersion && found.ReaderFeatures is not { Count: > 0 }) return;
        var features = found.ReaderFeatures is { Count: > 0 } named ? $" with the features {string.Join(", ", named)}" : "";
        throw Unsupported($"asks for reader version {found.MinReaderVersion}{features}; this version of LeanPipe reads version {ReaderVersion}");
    }

    void SetMetaData(DeltaMetaData found)
    {
        if (found.Format?.Provider is { } provider && provider != "parquet") throw Unsupported($"has files of format '{provider}'; only parquet is read");
        if (found.PartitionColumns is { Count: > 0 } columns) throw Unsupported($"is partitioned by {string.Join(", ", columns)}; columns that are in no file are not read");
        try
        {
            schema = DeltaSchema.Parse(found.SchemaString);
        }
        catch (FormatException e)
        {
            throw Unsupported($"has a schema that is not understood ({e.Message})");
        }
        metaData = found;
    }

    DeltaFile File(DeltaAdd add)
    {
        var path = Uri.UnescapeDataString(add.Path);
        if (path.StartsWith('/') || path.Contains("://", StringComparison.Ordinal)) throw Unsupported($"names a file outside its folder ('{path}')");
        long rows;
        try
        {
            rows = DeltaStats.RowsOf(add.Stats) ?? 0;
        }
        catch (JsonException e)
        {
            throw DeltaLog.Corrupt(table, $"version {version} has statistics of '{path}' that are no JSON object with a count", "Restore the object.", e);
        }
        return new(
            path, LakeLayout.Table(table) + path, add.Size, rows, DateTimeOffset.FromUnixTimeMilliseconds(add.ModificationTime), add.Stats,
            add.Tags?.GetValueOrDefault(DeltaAdd.Sha256Tag))
        {
            Source = add,
            Window = add.Tags?.GetValueOrDefault(DeltaAdd.WindowTag),
            Rank = add.Tags?.GetValueOrDefault(DeltaAdd.RankTag),
        };
    }

    LakeException Unsupported(string what) => new("lake.unsupported_table", $"Table '{table}' {what} ({LakeLayout.TableLog(table)}, version {version}).");
}
