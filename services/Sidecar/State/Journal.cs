using System.Threading.Channels;
using LeanPipe.Contracts;
using Microsoft.Win32.SafeHandles;

namespace LeanPipe.Sidecar.State;

/// <summary>The one owner of the sidecar's durable state: an append-only file of transactions.</summary>
/// <remarks>
/// The order is the guarantee. A transaction is appended, in the order of <see cref="Append"/>; the file is flushed to the disk;
/// only then <see cref="WhenDurable"/> completes, and only after that may anybody outside see an effect: an answer, a work
/// item, a delivery. Transactions that wait at the same time share one frame and one flush.
/// <para>
/// Compaction keeps the file in proportion to the state: the whole state goes to a file beside the journal, is flushed, takes the
/// journal's name, and the directory is flushed; a crash before the rename leaves the old journal, one after it the new.
/// Both tell the same state, because the snapshot stands in the queue between the transactions before and after it.
/// </para>
/// A failed write ends the journal: every later wait fails with the first cause, since what the file holds is unknown.
/// </remarks>
sealed class Journal : IAsyncDisposable
{
    const int SnapshotFrameBytes = 1024 * 1024;

    // What waits at once may be thousands of transactions of a message's size; a frame is one array.
    const int MostFrameBytes = 16 * 1024 * 1024;

    readonly Channel<Entry> _queue = Channel.CreateUnbounded<Entry>(new UnboundedChannelOptions { SingleReader = true });
    readonly FileStream _lock;
    readonly string _path;
    readonly long _compactAtBytes;
    readonly Task _writer;
    SafeFileHandle _file;
    long _length;
    long _baseLength;
    long _appended;
    bool _compacting;

    Journal(FileStream directoryLock, string path, long compactAtBytes, long cutBytes, long snapshotEnd)
    {
        _lock = directoryLock;
        _path = path;
        _compactAtBytes = compactAtBytes;
        CutBytes = cutBytes;
        _file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.Read);
        _length = RandomAccess.GetLength(_file);
        // What earlier lives appended counts too: a sidecar that is started anew every night would otherwise never compact.
        (_baseLength, _appended) = (snapshotEnd, _length - snapshotEnd);
        _writer = Task.Run(WriteAsync);
    }

    readonly record struct Entry(Transaction? Transaction, IReadOnlyList<Transaction>? Snapshot, TaskCompletionSource? Durable);

    /// <summary>Bytes of an interrupted write that were cut when the journal was opened.</summary>
    public long CutBytes { get; }

    /// <summary>Completes, faulted, when writing failed.</summary>
    public Task Completion => _writer;

    /// <summary>Opens the directory's journal or begins one, and replays it.</summary>
    /// <param name="compactAtBytes">Growth since the last snapshot that is always tolerated.</param>
    public static Journal Open(string directory, long compactAtBytes, Action<Transaction> apply)
    {
        Directory.CreateDirectory(directory);
        var directoryLock = Lock(directory);
        try
        {
            var path = Path.Combine(directory, "journal");
            if (!File.Exists(path))
                Durability.Replace(path, [JournalFile.Header(snapshotBytes: 0)]);

            Durability.DeleteUnfinished(path);
            var (cut, snapshotEnd) = Replay(path, apply);
            return new Journal(directoryLock, path, compactAtBytes, cut, snapshotEnd);
        }
        catch
        {
            directoryLock.Dispose();
            throw;
        }
    }

    /// <summary>Queues a transaction; the caller serializes calls, and their order is the order of the file.</summary>
    public Task Append(Transaction transaction)
    {
        _appended += transaction.CalculateSize();
        return Enqueue(new Entry(transaction, Snapshot: null, NewSignal()));
    }

    /// <summary>Completes when everything appended so far is on the disk.</summary>
    public Task WhenDurable() => Enqueue(new Entry(null, null, NewSignal()));

    /// <summary>Whether the file has grown enough to be worth a snapshot; the same caller then calls <see cref="Compact"/>.</summary>
    public bool WantsSnapshot => !Volatile.Read(ref _compacting) && _appended > Math.Max(_compactAtBytes, 2 * Volatile.Read(ref _baseLength));

    /// <summary>Queues a snapshot: transactions that build, from nothing, the state as of the appends before this call.</summary>
    public void Compact(IReadOnlyList<Transaction> snapshot)
    {
        Volatile.Write(ref _compacting, value: true);
        _appended = 0;
        _ = Enqueue(new Entry(null, snapshot, Durable: null));
    }

    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        try
        {
            await _writer;
        }
        catch (LeanPipeException)
        {
            // Told to every waiter already.
        }

        _file.Dispose();
        await _lock.DisposeAsync();
    }

    static (long CutBytes, long SnapshotEnd) Replay(string path, Action<Transaction> apply)
    {
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite);
        var length = RandomAccess.GetLength(file);
        var (whole, snapshotEnd) = new JournalReader(file, path).Replay(apply);
        if (whole < length)
        {
            RandomAccess.SetLength(file, whole);
            RandomAccess.FlushToDisk(file);
        }

        return (length - whole, snapshotEnd);
    }

    static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    Task Enqueue(Entry entry)
    {
        if (_queue.Writer.TryWrite(entry))
            return entry.Durable?.Task ?? Task.CompletedTask;
        return _writer.IsFaulted
            ? _writer
            : Task.FromException(new LeanPipeException("sidecar.stopping", "The sidecar is stopping; try again when it is back.", isTransient: true));
    }

    async Task WriteAsync()
    {
        var waiting = new List<TaskCompletionSource>();
        try
        {
            while (await _queue.Reader.WaitToReadAsync())
            {
                var batch = new Batch();
                var bytes = 0L;
                while (bytes < MostFrameBytes && _queue.Reader.TryRead(out var entry))
                {
                    if (entry.Snapshot is { } snapshot)
                    {
                        // What is queued before the snapshot is contained in it.
                        batch.Transactions.Clear();
                        WriteSnapshot(snapshot);
                        continue;
                    }

                    if (entry.Transaction is { } transaction)
                    {
                        batch.Transactions.Add(transaction);
                        bytes += transaction.CalculateSize();
                    }

                    waiting.Add(entry.Durable!);
                }

                Write(batch);
                foreach (var durable in waiting)
                    durable.SetResult();
                waiting.Clear();
            }
        }
        catch (Exception e)
        {
            // Whatever it was: nobody may wait for ever for what is not written.
            var failure = new LeanPipeException(
                "sidecar.journal_failed",
                $"The sidecar's journal '{_path}' could not be written: {e.Message} Free or repair the disk, then start the sidecar again; it goes on where it was.",
                inner: e);
            _queue.Writer.TryComplete();
            while (_queue.Reader.TryRead(out var entry))
            {
                if (entry.Durable is { } durable)
                    waiting.Add(durable);
            }

            foreach (var durable in waiting)
                durable.TrySetException(failure);
            throw failure;
        }
    }

    void Write(Batch batch)
    {
        if (batch.Transactions.Count == 0)
            return;

        var frame = JournalFile.Frame(batch);
        RandomAccess.Write(_file, frame, _length);
        RandomAccess.FlushToDisk(_file);
        _length += frame.Length;
    }

    void WriteSnapshot(IReadOnlyList<Transaction> snapshot)
    {
        var frames = Frames(snapshot).ToList();
        Durability.Replace(_path, frames.Prepend(JournalFile.Header(frames.Sum(frame => (long)frame.Length))));
        _file.Dispose();
        _file = File.OpenHandle(_path, FileMode.Open, FileAccess.ReadWrite, FileShare.Read);
        _length = RandomAccess.GetLength(_file);
        Volatile.Write(ref _baseLength, _length);
        Volatile.Write(ref _compacting, value: false);
    }

    static IEnumerable<byte[]> Frames(IReadOnlyList<Transaction> snapshot)
    {
        var batch = new Batch();
        var bytes = 0;
        foreach (var transaction in snapshot)
        {
            batch.Transactions.Add(transaction);
            bytes += transaction.CalculateSize();
            if (bytes < SnapshotFrameBytes)
                continue;
            yield return JournalFile.Frame(batch);
            batch = new Batch();
            bytes = 0;
        }

        if (batch.Transactions.Count > 0)
            yield return JournalFile.Frame(batch);
    }

    static FileStream Lock(string directory)
    {
        var path = Path.Combine(directory, "lock");
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e)
        {
            throw new LeanPipeException(
                "sidecar.state_in_use",
                $"The sidecar's state directory '{directory}' is in use by another process. Stop that one, or give this one its own directory.",
                inner: e);
        }
    }
}
