using System.Buffers;
using System.IO.Pipelines;

namespace LeanPipe.Cli.Sending;

/// <summary>The lines of a file or of standard input. A last line without an end gets one. Empty lines are left out: to the gateway they are no frames.</summary>
sealed class LineSource(Stream stream) : IFrameSource, IDisposable
{
    readonly PipeReader _reader = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: 256 * 1024));
    readonly SemaphoreSlim _turn = new(1);

    public async ValueTask<ReadOnlyMemory<byte>?> NextAsync(CancellationToken stop)
    {
        await _turn.WaitAsync(stop);
        try
        {
            while (true)
            {
                var read = await _reader.ReadAsync(stop);
                if (TryLine(read.Buffer, read.IsCompleted) is { } line)
                {
                    _reader.AdvanceTo(read.Buffer.GetPosition(line.Consumed));
                    if (line.Frame.AsSpan().TrimEnd("\r\n"u8).IsEmpty) continue;
                    return line.Frame;
                }
                _reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                if (read.IsCompleted) return null;
            }
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose()
    {
        _reader.Complete();
        _turn.Dispose();
        stream.Dispose();
    }

    static (byte[] Frame, long Consumed)? TryLine(ReadOnlySequence<byte> buffer, bool isLast)
    {
        if (buffer.PositionOf((byte)'\n') is { } end)
        {
            var line = buffer.Slice(0, buffer.GetPosition(1, end));
            return (line.ToArray(), line.Length);
        }
        if (!isLast || buffer.IsEmpty) return null;
        var frame = new byte[buffer.Length + 1];
        buffer.CopyTo(frame);
        frame[^1] = (byte)'\n';
        return (frame, buffer.Length);
    }
}
