using System.Text.Json;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Tables;

/// <summary>One publish, decided against one version of the table. Pure: what it writes follows from what it is given.</summary>
/// <remarks>
/// What is newer is told by <c>txn</c> actions, whose numbers only grow: <c>leanpipe/{pipeline}/{window}/{run}</c> (the run has committed),
/// <c>leanpipe/{pipeline}/{window}</c> (<see cref="PublishOrigin.Order"/> of what the window's rows were made from), and of a whole table <c>leanpipe/{pipeline}</c> (the start of
/// the window it was made from) or <c>leanpipe/{pipeline}/planned</c> (when its run was planned, for runs that read no window); both in milliseconds since the epoch.
/// </remarks>
sealed record TablePublish(TableName Table, PublishMode Mode, PublishOrigin Origin, DeltaSchema Output, IReadOnlyList<Chunk> Chunks)
{
    (string App, long Version) WholeTable =>
        Origin.ReadsWindow ? ($"leanpipe/{Origin.Pipeline}", Origin.Window.Start.ToUnixTimeMilliseconds()) : ($"leanpipe/{Origin.Pipeline}/planned", Origin.PlannedMilliseconds);

    public long Rows => Chunks.Sum(c => c.Object.Rows);

    /// <summary>Paths relative to the table's folder. The position keeps two chunks apart that hold the same bytes.</summary>
    public IReadOnlyList<(string Path, Chunk Chunk)> Files => [.. Chunks.Select((chunk, index) => (Path(index, chunk.Object.Sha256), chunk))];

    public string Path(int index, string sha256) => Mode is PublishMode.ReplaceWindow or PublishMode.ReplaceTable
        ? LakeLayout.TableFile(Origin.Pipeline, Origin.Window, Origin.Run, index, sha256)
        : LakeLayout.AddedTableFile(Origin.Pipeline, Origin.Window, Origin.Run, index, sha256);

    /// <summary>The answer when there is nothing to commit: this run has committed, or a newer one has. Otherwise null.</summary>
    public PublishedTable? Settled(DeltaTable? current, DateTimeOffset now)
    {
        if (current is null) return null;
        if (current.Transactions.GetValueOrDefault(Origin.RunApp) is { } ours && ours.Version >= Origin.Revision) return new(Table, ours.CommittedIn, Rows);
        // Rows that are only added take nobody's place.
        if (Mode == PublishMode.Append) return null;
        var newer = Newer(current, Origin.WindowApp, Origin.Order, now);
        if (newer is null && Mode == PublishMode.ReplaceTable) newer = Newer(current, WholeTable.App, WholeTable.Version, now);
        return newer is null ? null : new(Table, newer.CommittedIn, 0) { Superseded = true };
    }

    /// <summary>Only the run's own txn tells that rows were added already, and a checkpoint leaves it out in the end: then they are not added, for they may be there.</summary>
    /// <exception cref="LakeException"><c>lake.append_untold</c></exception>
    public void RequireTold(DeltaTable? current, DateTimeOffset now)
    {
        // A run's commit is younger than its plan. Without a checkpoint every commit is there to tell.
        if (Mode != PublishMode.Append || current?.CheckpointVersion is null || now - Origin.PlannedAt < Checkpoint.RunsAreTold) return;
        throw new LakeException(
            "lake.append_untold",
            $"Run '{Origin.Run}' was planned on {Origin.PlannedAt:yyyy-MM-dd}, and the log of table '{Table}' tells only of the last {Checkpoint.RunsAreTold.TotalDays:0} days which runs have added their rows: these may be there already, so nothing was added. Look for them with 'leanpipe query', and ask for a new run when they are missing.");
    }

    /// <summary>What the mode puts into and takes out of the version <paramref name="current"/>, where no file has to be rewritten for it.</summary>
    public TableChange Change(DeltaTable? current)
    {
        var files = Files;
        var kept = files.Select(f => f.Path).ToHashSet();
        return new(
            [.. files.Where(f => current?.State.Files.ContainsKey(f.Path) is not true).Select(f => new TableAdd(f.Path, f.Chunk.Object, DeltaStats.ToJson(f.Chunk.Object.Rows, f.Chunk.Stats, Output), Tags))],
            current is null ? [] : [.. current.Files.Where(f => IsReplaced(f) && !kept.Contains(f.Path))]);
    }

    public IReadOnlyDictionary<string, string> Tags => new SortedDictionary<string, string>(StringComparer.Ordinal)
    {
        [DeltaAdd.WindowTag] = Origin.Window.Value,
        [DeltaAdd.RankTag] = Origin.Rank,
    };

    public IReadOnlyList<DeltaAction> Commit(DeltaTable? current, TableChange change, DateTimeOffset now)
    {
        var milliseconds = TableCommits.Timestamp(current, now);
        if (current is not null) TableCommits.RequireWritable(current, change.Removes.Count > 0);
        var actions = new List<DeltaAction> { new() { CommitInfo = CommitInfo(milliseconds, change) } };
        if (current is null) actions.Add(new() { Protocol = new(DeltaStateBuilder.ReaderVersion, TableCommits.WriterVersion) });
        if (MetaData(current, now) is { } metaData) actions.Add(new() { MetaData = metaData });
        if (Mode != PublishMode.Append) actions.Add(new() { Txn = new(Origin.WindowApp, Origin.Order, milliseconds) });
        if (Mode == PublishMode.ReplaceTable) actions.Add(new() { Txn = new(WholeTable.App, WholeTable.Version, milliseconds) });
        actions.Add(new() { Txn = new(Origin.RunApp, Origin.Revision, milliseconds) });
        actions.AddRange(change.Removes.Select(file => TableCommits.Remove(file, milliseconds, dataChange: true)));
        actions.AddRange(change.Adds.Select(file => TableCommits.Add(file, milliseconds, dataChange: true)));
        return actions;
    }

    static DeltaTransaction? Newer(DeltaTable current, string app, long order, DateTimeOffset now) =>
        current.Transactions.GetValueOrDefault(app) is { } committed && PublishOrigin.IsNewer(committed.Version, order, now) ? committed : null;

    bool IsReplaced(DeltaFile file) => Mode switch
    {
        PublishMode.ReplaceTable => true,
        PublishMode.ReplaceWindow => file.Path.StartsWith(LakeLayout.TableWindow(Origin.Pipeline, Origin.Window), StringComparison.Ordinal),
        _ => false,
    };

    DeltaMetaData? MetaData(DeltaTable? current, DateTimeOffset now)
    {
        if (current is null)
        {
            return new(
                Guid.CreateVersion7(now).ToString(), new("parquet", new Dictionary<string, string>()), Output.ToString(), [],
                new Dictionary<string, string>(), now.ToUnixTimeMilliseconds());
        }
        // No file of the old schema stays live when the whole table is replaced, so nothing has to agree with it.
        var schema = (Mode == PublishMode.ReplaceTable ? Output : current.State.Schema.With(Output, Table)).ToString();
        return schema == current.State.Schema.ToString() ? null : current.State.MetaData with { SchemaString = schema };
    }

    JsonElement CommitInfo(long milliseconds, TableChange change) => JsonSerializer.SerializeToElement(
        new DeltaCommitInfo(
            milliseconds, Mode == PublishMode.Merge ? "MERGE" : "WRITE", new SortedDictionary<string, string>(StringComparer.Ordinal)
            {
                ["mode"] = Mode is PublishMode.ReplaceWindow or PublishMode.ReplaceTable ? "Overwrite" : "Append",
                ["publish"] = JsonNamingPolicy.SnakeCaseLower.ConvertName(Mode.ToString()),
                ["pipeline"] = Origin.Pipeline.Value,
                ["window"] = Origin.Window.Value,
                ["revision"] = Origin.Revision.ToString(),
                ["run"] = Origin.Run.Value,
                ["files_added"] = change.Adds.Count.ToString(),
                ["files_removed"] = change.Removes.Count.ToString(),
            }, Mode == PublishMode.Append, TableCommits.Engine), DeltaJson.Log.DeltaCommitInfo);
}
