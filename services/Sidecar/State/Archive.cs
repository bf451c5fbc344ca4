using LeanPipe.Contracts;
using LeanPipe.DaprWire;
using Microsoft.Win32.SafeHandles;

namespace LeanPipe.Sidecar.State;

/// <summary>A finished instance whose events are on the disk only.</summary>
/// <param name="Entry">Where they are, and what is asked of it without reading them.</param>
sealed record ArchivedInstance(ArchiveEntry Entry)
{
    public OrchestrationStatus Status => Entry.Status;

    public DateTimeOffset EndedAt => DateTimeOffset.FromUnixTimeMilliseconds(Entry.EndedAt);

    public string? ParentKey => Entry.Parent.Length > 0 ? Entry.Parent : null;
}

/// <summary>The events of finished instances, in one file <c>archive-N</c> beside the journal, so that they need no memory.</summary>
/// <remarks>
/// The order is the guarantee. An instance's events are appended here as one frame (see <see cref="JournalFile"/>) and flushed; only
/// then the journal says where they are, and with that they leave memory. A crash in between leaves bytes that nobody refers to.
/// When more than half of the file is such bytes, what is referred to is copied to <c>archive-N+1</c> and flushed; one journal
/// transaction moves every entry; only then the old file is deleted. A file that no entry names is deleted at the next start.
/// <para>Append and copy belong to one caller at a time; reads may come meanwhile.</para>
/// </remarks>
sealed class Archive(string directory, long tolerateDeadBytes) : IDisposable
{
    public const string DamagedCode = "sidecar.archive_damaged";

    const string FilePrefix = "archive-";

    readonly Dictionary<int, SafeFileHandle> _files = [];
    int _current = 1;

    /// <summary>Deletes files without an entry, and checks that the others are long enough for theirs.</summary>
    public void Open(IReadOnlyCollection<ArchivedInstance> entries)
    {
        foreach (var path in Directory.EnumerateFiles(directory, FilePrefix + "*"))
        {
            if (!int.TryParse(Path.GetFileName(path)[FilePrefix.Length..], out var number) || entries.All(e => e.Entry.File != number))
                File.Delete(path);
        }

        foreach (var file in entries.GroupBy(e => e.Entry.File))
        {
            _current = Math.Max(_current, file.Key);
            var (path, end) = (PathOf(file.Key), file.Max(e => e.Entry.Offset + e.Entry.Length));
            var length = File.Exists(path) ? new FileInfo(path).Length : 0;
            if (length < end)
                throw Damaged(path, end, $"the journal knows of {end} bytes, but the file has {length}");
        }
    }

    /// <summary>Makes finished instances durable here; the entries are not in the journal yet.</summary>
    public IReadOnlyList<ArchiveEntry> Append(IReadOnlyList<Instance> finished, string mainAppId)
    {
        var frames = finished.Select(instance => JournalFile.Frame(new Batch { Transactions = { new Transaction { Instances = { instance.Snapshot() } } } }));
        return [.. Write(_current, frames).Zip(finished, (place, instance) => new ArchiveEntry
        {
            File = _current,
            Offset = place.Offset,
            Length = place.Length,
            Status = instance.Completed!.WorkflowStatus,
            EndedAt = instance.End!.Timestamp.ToDateTimeOffset().ToUnixTimeMilliseconds(),
            Parent = instance.ParentKey(mainAppId) ?? "",
        })];
    }

    /// <summary>The change that builds the instance's state from nothing.</summary>
    /// <exception cref="LeanPipeException">sidecar.archive_damaged</exception>
    public InstanceChange Read(ArchiveEntry entry)
    {
        var (path, frame) = (PathOf(entry.File), ReadFrame(entry));
        InstanceChange? found = null;
        try
        {
            if (JournalFile.ReplayFrame(frame, path, transaction => found = transaction.Instances[0]) && found is not null)
                return found;
        }
        catch (LeanPipeException e)
        {
            throw Damaged(path, entry.Offset, e.Message);
        }

        throw Damaged(path, entry.Offset, "the checksum of the instance there is wrong");
    }

    /// <summary>Whether so much of the file is referred to by nobody that a copy is worth its while.</summary>
    public bool WantsCopy(IReadOnlyCollection<ArchivedInstance> entries)
    {
        var dead = LengthOf(_current) - entries.Sum(e => (long)e.Entry.Length);
        return dead > tolerateDeadBytes && dead > LengthOf(_current) / 2;
    }

    /// <summary>Copies what is referred to into the next file; the new entries are not in the journal yet, the old file is still there.</summary>
    public IReadOnlyList<ArchiveEntry> Copy(IReadOnlyList<ArchiveEntry> entries)
    {
        var next = _current + 1;
        var copies = Write(next, entries.Select(ReadFrame)).Zip(entries, (place, old) =>
        {
            var copy = old.Clone();
            (copy.File, copy.Offset) = (next, place.Offset);
            return copy;
        }).ToList();
        _current = next;
        return copies;
    }

    /// <summary>Deletes every file but the current one; the caller knows that no entry names another.</summary>
    public void DeleteOthers()
    {
        lock (_files)
        {
            foreach (var number in _files.Keys.Where(n => n != _current).ToList())
            {
                _files.Remove(number, out var file);
                file!.Dispose();
                File.Delete(PathOf(number));
            }
        }
    }

    public void Dispose()
    {
        lock (_files)
        {
            foreach (var file in _files.Values)
                file.Dispose();
            _files.Clear();
        }
    }

    string PathOf(int number) => Path.Combine(directory, FilePrefix + number);

    long LengthOf(int number) => File.Exists(PathOf(number)) ? RandomAccess.GetLength(Handle(number)) : 0;

    SafeFileHandle Handle(int number)
    {
        lock (_files)
        {
            if (!_files.TryGetValue(number, out var file))
                _files.Add(number, file = File.OpenHandle(PathOf(number), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read));
            return file;
        }
    }

    List<(long Offset, int Length)> Write(int number, IEnumerable<byte[]> frames)
    {
        var isNew = !File.Exists(PathOf(number));
        var file = Handle(number);
        var at = RandomAccess.GetLength(file);
        var places = new List<(long, int)>();
        foreach (var frame in frames)
        {
            RandomAccess.Write(file, frame, at);
            places.Add((at, frame.Length));
            at += frame.Length;
        }

        RandomAccess.FlushToDisk(file);
        if (isNew)
            Durability.FlushDirectory(directory);
        return places;
    }

    byte[] ReadFrame(ArchiveEntry entry)
    {
        var bytes = new byte[entry.Length];
        var file = Handle(entry.File);
        for (var read = 0; read < bytes.Length;)
        {
            var more = RandomAccess.Read(file, bytes.AsSpan(read), entry.Offset + read);
            if (more == 0)
                throw Damaged(PathOf(entry.File), entry.Offset, "the file ends there");
            read += more;
        }

        return bytes;
    }

    static LeanPipeException Damaged(string path, long at, string found) => new(
        DamagedCode,
        $"The sidecar's archive '{path}' is damaged at byte {at}: {found}. It holds finished workflow instances only. Restore the file from a copy, or purge "
        + "the instances that cannot be read.");
}
