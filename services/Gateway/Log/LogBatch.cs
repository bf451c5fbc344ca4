using System.Buffers.Binary;

namespace LeanPipe.Gateway.Log;

/// <summary>Entries that will be written and fsynced together. Filled under the log's lock.</summary>
sealed class LogBatch
{
    readonly TaskCompletionSource _durable = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public LogBatch(byte[] buffer) => Buffer = buffer;

    public byte[] Buffer { get; private set; }

    /// <summary>Header and entries so far.</summary>
    public int Length { get; private set; } = LogFormat.BatchHeaderBytes;

    public int Entries { get; private set; }

    /// <summary>The position behind the batch; known when it is durable.</summary>
    public long End { get; set; }

    /// <summary>Timestamp of the first entry.</summary>
    public long Begun { get; set; }

    /// <summary>Ends when the batch is on disk and in the state; fails when the log has failed, and then nothing in it was acknowledged.</summary>
    public Task Durable => _durable.Task;

    public void Complete() => _durable.TrySetResult();

    public void Fail(Exception reason)
    {
        _durable.TrySetException(reason);
        // Nobody may be waiting.
        _ = _durable.Task.Exception;
    }

    /// <summary>Adds an entry and returns the place of its body.</summary>
    public Span<byte> Add(EntryKind kind, int bodyBytes)
    {
        var needed = Length + LogFormat.EntryHeaderBytes + bodyBytes;
        if (needed > Buffer.Length)
        {
            var larger = new byte[Math.Max(needed, Buffer.Length * 2)];
            Buffer.AsSpan(0, Length).CopyTo(larger);
            Buffer = larger;
        }
        var header = Buffer.AsSpan(Length, LogFormat.EntryHeaderBytes);
        BinaryPrimitives.WriteInt32LittleEndian(header, bodyBytes);
        BinaryPrimitives.WriteInt32LittleEndian(header[4..], (byte)kind);
        var body = Buffer.AsSpan(Length + LogFormat.EntryHeaderBytes, bodyBytes);
        Length = needed;
        Entries++;
        return body;
    }

    public void Add(EntryKind kind, ReadOnlySpan<byte> body) => body.CopyTo(Add(kind, body.Length));
}
