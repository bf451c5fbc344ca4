using System.Buffers;
using System.Collections.Concurrent;
using System.Runtime.CompilerServices;

namespace LeanPipe.Lake;

/// <summary>A lake in a folder of a local file system, shared by any number of processes of one machine.</summary>
/// <remarks>
/// <para>
/// The order of a put: bytes into a file under <c>.tmp/</c> of the same file system, fsync of the file, its final name in one step (rename, or link when the
/// name must be free), fsync of the folder that holds the name and, where this instance has not done so before, of the folders on the way up to the root. A crash before the
/// name leaves a file under <c>.tmp/</c>, which <see cref="SweepTemporary"/> takes after a day; a crash after it leaves the whole object or, before the last fsync, none.
/// </para>
/// <para>
/// Objects are never written in place, so a copy may be a hard link. On a file system that ignores case (macOS, Windows) two keys that differ only in case are one
/// object; the store probe says so. Parts beginning with '.' are not keys: they are skipped by lists.
/// </para>
/// </remarks>
sealed class FolderStore : IObjectStore
{
    const int WrittenAtOnceBytes = 128 * 1024;

    // Each try fails only where somebody tidies the folder away in the moment between making and using it. So often in a row is a fault of the file system.
    const int TriesToName = 1000;
    const int TriesAtOnce = 10;
    const int PauseToNameMilliseconds = 20;

    static readonly TimeSpan TemporaryLivesFor = TimeSpan.FromDays(1);

    readonly string root;
    readonly string temporary;
    readonly TimeProvider time;

    // Folders whose names this instance has seen made durable up to the root.
    readonly ConcurrentDictionary<string, string> durableFolders = new();

    public FolderStore(string root, TimeProvider time)
    {
        this.root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(root));
        this.time = time;
        temporary = Path.Combine(this.root, ".tmp");
        try
        {
            Directory.CreateDirectory(temporary);
            SweepTemporary();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw FolderErrors.From(e, "open the lake's folder", this.root);
        }
    }

    public Uri Root => new UriBuilder(Uri.UriSchemeFile, "") { Path = root }.Uri;

    public string LocalPath(string key) => Path.Combine(root, ObjectKey.Require(key));

    public ValueTask<long?> SizeAsync(string key, CancellationToken cancellationToken) => Do(key, "look at", path =>
    {
        var file = new FileInfo(path);
        return file.Exists ? file.Length : (long?)null;
    });

    public async ValueTask<ReadOnlyMemory<byte>?> GetAsync(string key, CancellationToken cancellationToken)
    {
        var path = LocalPath(key);
        // Most objects that are asked for and are not there are expected not to be: an exception for each would cost more than this look.
        if (!File.Exists(path)) return null;
        try
        {
            return await File.ReadAllBytesAsync(path, cancellationToken);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw FolderErrors.From(e, "read", path);
        }
    }

    public ValueTask<Stream?> OpenAsync(string key, long offset, long? length, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        return Do(key, "read", path =>
        {
            FileStream file;
            try
            {
                file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0, FileOptions.SequentialScan);
            }
            catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
            {
                return null;
            }
            file.Position = offset;
            return length is { } limit ? new LimitedStream(file, limit) : (Stream)file;
        });
    }

    public async ValueTask PutAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        await Write(key, cancellationToken, temp => WriteDurably(temp, content), Replace);

    public async ValueTask PutAsync(string key, Stream content, string sha256, CancellationToken cancellationToken) =>
        await Write(key, cancellationToken, temp => WriteDurably(temp, content), Replace);

    public async ValueTask<bool> PutIfAbsentAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        await Write(key, cancellationToken, temp => WriteDurably(temp, content), Posix.TryGiveName);

    public async ValueTask PutFileAsync(string key, string path, CancellationToken cancellationToken) =>
        await Write(key, cancellationToken, temp => CopyDurably(path, temp), Replace);

    public async ValueTask CopyAsync(string sourceKey, string targetKey, CancellationToken cancellationToken)
    {
        var source = LocalPath(sourceKey);
        if (!File.Exists(source))
            throw new LakeException("lake.missing", $"Object '{sourceKey}' of {Root} is not there to be copied to '{targetKey}'. Its run may have been swept.");
        await Write(targetKey, cancellationToken, temp =>
        {
            if (!Posix.TryLink(source, temp)) CopyDurably(source, temp);
        }, Replace);
    }

    public async IAsyncEnumerable<ListedObject> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask;
        foreach (var item in FolderWalk.Under(root, ObjectKey.RequirePrefix(prefix)))
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return item;
        }
    }

    public async IAsyncEnumerable<string> ListFoldersAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask;
        foreach (var folder in FolderWalk.Folders(root, ObjectKey.RequirePrefix(prefix))) yield return folder;
    }

    public async ValueTask DeleteAsync(string key, CancellationToken cancellationToken) => await Do(key, "delete", path =>
    {
        if (!File.Exists(path)) return false;
        File.Delete(path);
        try
        {
            Posix.SyncFolder(Path.GetDirectoryName(path)!);
        }
        catch (DirectoryNotFoundException)
        {
            // Somebody tidied the empty folder away, and the name is gone with it.
            return true;
        }
        return true;
    });

    void SweepTemporary()
    {
        var oldest = (time.GetUtcNow() - TemporaryLivesFor).ToUnixTimeSeconds();
        foreach (var path in Directory.EnumerateFiles(temporary))
        {
            // The name tells the age: a linked file's own time is that of the object it was linked from.
            if (long.TryParse(Path.GetFileName(path).Split('-')[0], out var made) && made < oldest) File.Delete(path);
        }
    }

    static ValueTask<T> Do<T>(string path, string what, Func<T> action)
    {
        try
        {
            return ValueTask.FromResult(action());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return ValueTask.FromException<T>(FolderErrors.From(e, what, path));
        }
    }

    ValueTask<T> Do<T>(string key, string what, Func<string, T> action)
    {
        var path = LocalPath(key);
        return Do(path, what, () => action(path));
    }

    /// <summary>True when the name was given.</summary>
    /// <remarks>Threads of the pool are everybody's, so none of them waits here for the disk on its caller's behalf; a thread of its own, as a task's main thread, waits itself.</remarks>
    Task<bool> Write(string key, CancellationToken cancellationToken, Action<string> fill, Func<string, string, bool> giveName)
    {
        var path = LocalPath(key);
        if (Thread.CurrentThread.IsThreadPoolThread) return Task.Run(() => Write(path, fill, giveName), cancellationToken);
        if (cancellationToken.IsCancellationRequested) return Task.FromCanceled<bool>(cancellationToken);
        try
        {
            return Task.FromResult(Write(path, fill, giveName));
        }
        catch (LakeException e)
        {
            return Task.FromException<bool>(e);
        }
    }

    bool Write(string path, Action<string> fill, Func<string, string, bool> giveName)
    {
        var temp = Path.Combine(temporary, $"{time.GetUtcNow().ToUnixTimeSeconds()}-{Guid.NewGuid():N}");
        try
        {
            fill(temp);
            var folder = Path.GetDirectoryName(path)!;
            var given = GiveName(temp, path, folder, giveName);
            // Also when another writer's name was found: its fsync may still be to come, and the caller builds on that object now.
            SyncWayTo(folder);
            return given;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw FolderErrors.From(e, "write", path);
        }
        finally
        {
            File.Delete(temp);
        }
    }

    bool GiveName(string temp, string path, string folder, Func<string, string, bool> giveName)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                if (!durableFolders.ContainsKey(folder)) Directory.CreateDirectory(folder);
                return giveName(temp, path);
            }
            catch (DirectoryNotFoundException) when (tries < TriesToName)
            {
                // Somebody tidied the folder away since this instance made it, or just now.
                durableFolders.Clear();
                if (tries > TriesAtOnce) Thread.Sleep(Random.Shared.Next(PauseToNameMilliseconds));
            }
        }
    }

    static bool Replace(string temp, string path)
    {
        File.Move(temp, path, overwrite: true);
        return true;
    }

    // No room is taken beforehand: .NET's error does not tell a full disk then.
    static void WriteDurably(string path, ReadOnlyMemory<byte> content)
    {
        using var handle = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.None);
        RandomAccess.Write(handle, content.Span, 0);
        RandomAccess.FlushToDisk(handle);
    }

    static void WriteDurably(string path, Stream content)
    {
        using var handle = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.None);
        var buffer = ArrayPool<byte>.Shared.Rent(WrittenAtOnceBytes);
        content.Position = 0;
        long written = 0;
        for (int read; (read = content.Read(buffer)) > 0; written += read) RandomAccess.Write(handle, buffer.AsSpan(0, read), written);
        ArrayPool<byte>.Shared.Return(buffer);
        RandomAccess.FlushToDisk(handle);
    }

    static void CopyDurably(string source, string target)
    {
        // A clone where the file system can, otherwise a copy within the kernel.
        File.Copy(source, target);
        using var handle = File.OpenHandle(target, FileMode.Open, FileAccess.ReadWrite);
        RandomAccess.FlushToDisk(handle);
    }

    /// <summary>The folder and the way to it, up to the root whoever made them: another process may have made a folder and not synced its name yet.</summary>
    /// <remarks>It comes after the name, which keeps the folders from being tidied away; the put is over only when all of it is on the disk.</remarks>
    void SyncWayTo(string folder)
    {
        Posix.SyncFolder(folder);
        if (durableFolders.ContainsKey(folder)) return;
        for (var at = folder; at.Length > root.Length; at = Path.GetDirectoryName(at)!) Posix.SyncFolder(Path.GetDirectoryName(at)!);
        durableFolders[folder] = folder;
    }
}
