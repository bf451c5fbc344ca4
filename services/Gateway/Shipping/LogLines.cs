using System.Buffers;
using LeanPipe.Gateway.Log;
using LeanPipe.Gateway.Windows;

namespace LeanPipe.Gateway.Shipping;

/// <summary>The lines of a cut as they stand in the log, one behind the other, read when they are asked for: a segment is never in memory as a whole.</summary>
sealed class LogLines : Stream
{
    readonly WriteAheadLog _log;
    readonly IReadOnlyList<Extent> _extents;
    byte[]? _stretch;
    long _from, _to;
    int _index, _offset;
    long _position;

    public LogLines(WriteAheadLog log, IReadOnlyList<Extent> extents)
    {
        (_log, _extents) = (log, extents);
        _stretch = ArrayPool<byte>.Shared.Rent(log.Buffers.StretchBytes);
        foreach (var extent in extents) Length += extent.Bytes;
    }

    public override long Length { get; }

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Position
    {
        get => _position;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            (_index, _position) = (0, value);
            while (_index < _extents.Count && value >= _extents[_index].Bytes) value -= _extents[_index++].Bytes;
            _offset = (int)Math.Min(value, int.MaxValue);
        }
    }

    public override int Read(Span<byte> buffer)
    {
        var read = 0;
        while (read < buffer.Length && _index < _extents.Count)
        {
            var extent = _extents[_index];
            var count = Math.Min(extent.Bytes - _offset, buffer.Length - read);
            ReadLog(extent.Position + _offset, buffer.Slice(read, count), _extents[^1].Position + _extents[^1].Bytes);
            read += count;
            _offset += count;
            if (_offset == extent.Bytes) (_index, _offset) = (_index + 1, 0);
        }
        _position += read;
        return read;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => ValueTask.FromResult(Read(buffer.Span));

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => Task.FromResult(Read(buffer.AsSpan(offset, count)));

    public override long Seek(long offset, SeekOrigin origin) =>
        Position = origin switch { SeekOrigin.Begin => offset, SeekOrigin.Current => _position + offset, _ => Length + offset };

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing && Interlocked.Exchange(ref _stretch, null) is { } stretch) ArrayPool<byte>.Shared.Return(stretch);
        base.Dispose(disposing);
    }

    void ReadLog(long position, Span<byte> target, long end)
    {
        if (target.Length >= _log.Buffers.LongLineBytes)
        {
            _log.Read(target, position);
            return;
        }
        if (position < _from || position + target.Length > _to)
        {
            // Batches never span files, so a stretch ends with its file at the latest.
            _from = position;
            _to = Math.Min(Math.Min(position + _log.Buffers.StretchBytes, end), _log.FileEndOf(position));
            _log.Read(_stretch.AsSpan(0, (int)(_to - _from)), _from);
        }
        _stretch.AsSpan((int)(position - _from), target.Length).CopyTo(target);
    }
}
