using LeanPipe.Lake;
using Microsoft.Win32.SafeHandles;

namespace LeanPipe.Gateway.Log;

/// <summary>One file of the log, open for reading; the newest one is also written.</summary>
sealed class LogFile(string path, long position, long length, SafeFileHandle handle) : IDisposable
{
    public string Path => path;

    /// <summary>Of the file's first byte.</summary>
    public long Position => position;

    /// <summary>Bytes that hold whole batches. Written by the committer only.</summary>
    public long Length { get; private set; } = length;

    public long End => position + Length;

    /// <summary>Whether a part of it cannot be read; then it is kept for a person when the log needs it no more.</summary>
    public bool IsDamaged { get; init; }

    /// <summary>Makes a file with its header and its first batch, durable together with its name before anything is put behind them.</summary>
    public static LogFile Create(string folder, long position, ulong logId, ReadOnlySpan<byte> checkpointBatch)
    {
        var path = System.IO.Path.Combine(folder, LogFormat.FileName(position));
        var handle = File.OpenHandle(path, FileMode.Create, FileAccess.ReadWrite, FileShare.Read);
        try
        {
            Span<byte> header = stackalloc byte[LogFormat.FileHeaderBytes];
            LogFormat.WriteFileHeader(header, position, logId);
            RandomAccess.Write(handle, header, 0);
            RandomAccess.Write(handle, checkpointBatch, header.Length);
            RandomAccess.FlushToDisk(handle);
            DurableFolder.Sync(folder);
            return new(path, position, header.Length + checkpointBatch.Length, handle);
        }
        catch
        {
            // A half-made file must not stay: the file before it grows on, past the position in this one's name.
            handle.Dispose();
            File.Delete(path);
            DurableFolder.Sync(folder);
            throw;
        }
    }

    /// <summary>Writes behind the last whole batch; bytes of a write that failed before are overwritten.</summary>
    public void Append(ReadOnlySpan<byte> batch)
    {
        RandomAccess.Write(handle, batch, Length);
        RandomAccess.FlushToDisk(handle);
        Length += batch.Length;
    }

    public void Read(Span<byte> target, long at)
    {
        for (var offset = at - position; !target.IsEmpty;)
        {
            var read = RandomAccess.Read(handle, target, offset);
            if (read == 0) throw new LogException("gateway.log_short", $"The log file '{path}' ends at byte {offset}, expected {target.Length} bytes more. Something else cut it; restore it.");
            target = target[read..];
            offset += read;
        }
    }

    /// <summary>Takes away what stands behind the last whole batch.</summary>
    public void Trim()
    {
        RandomAccess.SetLength(handle, Length);
        RandomAccess.FlushToDisk(handle);
    }

    public void Delete()
    {
        Dispose();
        File.Delete(path);
    }

    public void MoveTo(Quarantine quarantine)
    {
        Dispose();
        quarantine.Keep(path);
    }

    public void Dispose() => handle.Dispose();
}
