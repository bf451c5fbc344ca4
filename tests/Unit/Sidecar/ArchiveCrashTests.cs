using LeanPipe.DaprWire;
using LeanPipe.Sidecar.State;

namespace LeanPipe.Unit.Sidecar;

/// <summary>
/// A crash between every two durable writes of the passes that move finished instances to the archive and copy it: the folder as it is at that
/// moment, and with the write that was under way torn at several lengths, opens, and every instance reads as before.
/// </summary>
public sealed class ArchiveCrashTests : IDisposable
{
    const string App = "test";

    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("leanpipe-archive-");

    string Live => Path.Combine(_folder.FullName, "live");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Between_any_two_writes_of_a_move_and_of_a_copy_nothing_is_lost_or_comes_back()
    {
        string[] kept = ["a", "b"];
        string[] purged = ["x", "y", "z"];
        await using (var store = Open(Live))
        {
            foreach (var id in kept.Concat(purged))
                await CommitAsync(store, Finished(id));
            await CheckAsync("before", kept.Concat(purged));

            var finished = store.Finished(_ => true);
            var entries = store.Archive.Append(finished, App);
            await CheckAsync("appended, not in the journal", kept.Concat(purged));
            await CheckTornAsync("append torn", "archive-1", 0, kept.Concat(purged));

            await CommitAsync(store, [.. finished.Select((instance, i) => new InstanceChange { InstanceId = instance.Id, Archived = entries[i] })]);
            store.Instances.ShouldBeEmpty();
            await CheckAsync("moved", kept.Concat(purged));

            var known = new FileInfo(Path.Combine(Live, "archive-1")).Length;
            await CommitAsync(store, Finished("late"));
            var late = store.Finished(_ => true);
            store.Archive.Append(late, App);
            await CheckTornAsync("second append torn", "archive-1", known, [.. kept, .. purged, "late"]);

            await CommitAsync(store, [.. purged.Append("late").Select(id => new InstanceChange { InstanceId = id, Purge = true })]);
            await CheckAsync("purged", kept);

            var before = store.Archived.ToList();
            var copies = store.Archive.Copy([.. before.Select(e => e.Value.Entry)]);
            await CheckAsync("copied, not in the journal", kept, files: ["archive-1"]);
            await CheckTornAsync("copy torn", "archive-2", 0, kept);

            await CommitAsync(store, [.. before.Select((e, i) => new InstanceChange { InstanceId = e.Key, Archived = copies[i] })]);
            await CheckAsync("copy in the journal, the old file still there", kept, files: ["archive-2"]);

            store.Archive.DeleteOthers();
            await CheckAsync("done", kept, files: ["archive-2"]);
        }
    }

    [Fact]
    public async Task Torn_inside_the_journals_transaction_of_a_move_the_instances_are_where_they_were()
    {
        long before;
        await using (var store = Open(Live))
        {
            await CommitAsync(store, Finished("a"));
            await CommitAsync(store, Finished("b"));
            before = new FileInfo(Path.Combine(Live, "journal")).Length;
            var finished = store.Finished(_ => true);
            var entries = store.Archive.Append(finished, App);
            await CommitAsync(store, [.. finished.Select((instance, i) => new InstanceChange { InstanceId = instance.Id, Archived = entries[i] })]);
        }

        var whole = new FileInfo(Path.Combine(Live, "journal")).Length;
        for (var length = before; length <= whole; length += length + 7 > whole && length < whole ? whole - length : 7)
            await CheckTornAsync($"journal cut at {length}", "journal", length, ["a", "b"], exactly: true);
    }

    // The file as a crash left it while bytes beyond `durable` were on their way.
    async Task CheckTornAsync(string when, string file, long durable, IEnumerable<string> ids, bool exactly = false)
    {
        var whole = new FileInfo(Path.Combine(Live, file)).Length;
        long[] cuts = exactly ? [durable] : [durable, durable + 1, durable + 11, (durable + whole) / 2, whole - 1];
        foreach (var cut in cuts.Where(c => c <= whole).Distinct())
        {
            var copy = Copy($"{when} {cut}");
            using (var stream = new FileStream(Path.Combine(copy, file), FileMode.Open))
                stream.SetLength(cut);
            await CheckFolderAsync(copy, $"{when} at {cut}", ids, files: null);
        }
    }

    Task CheckAsync(string when, IEnumerable<string> ids, string[]? files = null) => CheckFolderAsync(Copy(when), when, ids, files);

    static async Task CheckFolderAsync(string folder, string when, IEnumerable<string> ids, string[]? files)
    {
        var expected = ids.Order(StringComparer.Ordinal).ToList();
        for (var start = 0; start < 2; start++)
        {
            await using var store = Open(folder);
            store.Instances.Keys.Concat(store.Archived.Keys).Order(StringComparer.Ordinal).ToList().ShouldBe(expected, customMessage: when);
            foreach (var id in expected)
                store.Find(id)!.Completed!.Result.ShouldBe(Result(id), customMessage: when);
            if (files is not null)
                Directory.GetFiles(folder, "archive-*").Select(f => Path.GetFileName(f)!).ToArray().ShouldBe(files, customMessage: when);

            // The pass is taken up again: whatever is in memory moves, and reads from there.
            var finished = store.Finished(_ => true);
            if (finished.Count == 0)
                continue;
            var entries = store.Archive.Append(finished, App);
            await CommitAsync(store, [.. finished.Select((instance, i) => new InstanceChange { InstanceId = instance.Id, Archived = entries[i] })]);
            foreach (var id in expected)
                store.Find(id)!.Completed!.Result.ShouldBe(Result(id), customMessage: when);
        }
    }

    string Copy(string name)
    {
        var copy = _folder.CreateSubdirectory(name.Replace(' ', '-').Replace(',', '-'));
        foreach (var file in Directory.GetFiles(Live).Where(f => Path.GetFileName(f) != "lock"))
        {
            using var from = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var to = new FileStream(Path.Combine(copy.FullName, Path.GetFileName(file)), FileMode.Create);
            from.CopyTo(to);
        }

        return copy.FullName;
    }

    static StateStore Open(string folder)
    {
        var store = new StateStore();
        store.Open(folder, compactAtBytes: long.MaxValue / 4);
        return store;
    }

    static string Result(string id) => string.Concat(Enumerable.Repeat(id, 50));

    static InstanceChange Finished(string id) => new()
    {
        InstanceId = id,
        Reset = true,
        HistoryAdded =
        {
            new HistoryEvent { EventId = -1, Timestamp = new() { Seconds = 1 }, ExecutionStarted = new ExecutionStartedEvent { Name = "w" } },
            new HistoryEvent
            {
                Timestamp = new() { Seconds = 2 },
                ExecutionCompleted = new ExecutionCompletedEvent { WorkflowStatus = OrchestrationStatus.Completed, Result = Result(id) },
            },
        },
    };

    static Task CommitAsync(StateStore store, params InstanceChange[] changes)
    {
        lock (store.Gate)
        {
            foreach (var change in changes)
                store.Apply(change);
            return store.Commit(new Transaction { Instances = { changes } });
        }
    }
}
