using System.Buffers.Binary;
using LeanPipe.Contracts;
using Microsoft.Win32.SafeHandles;

namespace LeanPipe.Sidecar.State;

/// <summary>Reads a journal file (<see cref="JournalFile"/>) of any length through a window of it: a start takes the memory of the state and of one frame.</summary>
sealed class JournalReader(SafeFileHandle file, string path)
{
    const int WindowBytes = 1024 * 1024;

    readonly long _length = RandomAccess.GetLength(file);
    byte[] _window = new byte[(int)Math.Min(RandomAccess.GetLength(file) + 1, WindowBytes)];
    long _start;
    int _count;

    /// <summary>Hands every transaction to <paramref name="apply"/>; returns the length up to which the file is whole, and where the snapshot ends that it begins with.</summary>
    /// <exception cref="LeanPipeException">sidecar.journal_damaged</exception>
    public (long Whole, long SnapshotEnd) Replay(Action<Transaction> apply)
    {
        if (JournalFile.SnapshotBytes(At(0, JournalFile.HeaderBytes)) is not { } snapshotBytes)
            throw JournalFile.Damaged(path, 0, "the file does not begin as a sidecar journal of version 1");
        if (snapshotBytes < 0 || snapshotBytes > _length - JournalFile.HeaderBytes)
            throw JournalFile.Damaged(path, 8, $"it announces a snapshot of {snapshotBytes} bytes, but the file has {_length} bytes");

        var snapshotEnd = JournalFile.HeaderBytes + snapshotBytes;
        long at = JournalFile.HeaderBytes;
        while (at < _length)
        {
            if (PayloadBytes(at) is not { } bytes)
            {
                if (FindWholeFrame(at + 1) is { } later)
                    throw JournalFile.Damaged(path, at, $"a transaction there is broken, but whole ones follow at byte {later}");
                if (at < snapshotEnd)
                    throw JournalFile.Damaged(path, at, "a part of its snapshot is broken");
                return (at, snapshotEnd);
            }

            JournalFile.Apply(At(at + JournalFile.FramePrefixBytes, bytes), path, at, apply);
            at += JournalFile.FramePrefixBytes + bytes;
        }

        return (at, snapshotEnd);
    }

    /// <summary>The length of a whole frame's payload; null when there is no whole frame.</summary>
    int? PayloadBytes(long at)
    {
        var prefix = At(at, JournalFile.FramePrefixBytes);
        if (JournalFile.PayloadBytes(prefix, _length - at) is not { } length)
            return null;

        // In parts: what only looks like a frame may announce any length.
        var (wanted, crc) = (BinaryPrimitives.ReadUInt32LittleEndian(prefix[8..]), JournalFile.Crc(uint.MaxValue, prefix.Slice(4, 4)));
        for (var done = 0; done < length;)
        {
            var part = At(at + JournalFile.FramePrefixBytes + done, Math.Min(length - done, WindowBytes));
            crc = JournalFile.Crc(crc, part);
            done += part.Length;
        }

        return wanted == ~crc ? length : null;
    }

    long? FindWholeFrame(long from)
    {
        while (true)
        {
            var window = At(from, WindowBytes);
            var found = window.IndexOf(JournalFile.FrameMagic);
            if (found >= 0)
            {
                if (PayloadBytes(from + found) is not null)
                    return from + found;
                from += found + 1;
            }
            else if (window.Length < WindowBytes)
            {
                return null;
            }
            else
            {
                // A magic may stand across the windows' border.
                from += window.Length - JournalFile.FrameMagic.Length + 1;
            }
        }
    }

    /// <summary>So many of the file's bytes, or what there is before its end. Good until the next call.</summary>
    ReadOnlySpan<byte> At(long at, int bytes)
    {
        if (at < _start || at + bytes > _start + _count)
        {
            if (_window.Length < bytes)
                _window = new byte[bytes];
            (_start, _count) = (at, 0);
            while (_count < _window.Length && RandomAccess.Read(file, _window.AsSpan(_count), at + _count) is > 0 and var read)
                _count += read;
        }

        var available = _window.AsSpan((int)(at - _start), _count - (int)(at - _start));
        return available.Length > bytes ? available[..bytes] : available;
    }
}
