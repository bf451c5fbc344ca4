using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using Google.Protobuf;

namespace LeanPipe.DaprWire;

/// <summary>Why a read gave no message. What the peer can cause is told here, never thrown.</summary>
public enum GrpcFrameFault
{
    None,

    /// <summary>The stream ended between two messages: its regular end.</summary>
    End,

    /// <summary>The stream ended inside a message.</summary>
    Truncated,

    /// <summary>The prefix announces more than the limit; nothing of the message was read.</summary>
    TooLarge,

    /// <summary>The compressed flag is set; only identity is spoken here.</summary>
    Compressed,
}

/// <summary>One message, or the reason there is none.</summary>
/// <param name="Fault"><see cref="GrpcFrameFault.None"/> when <paramref name="Message"/> holds a message.</param>
/// <param name="Message">The serialized protobuf message; empty is a message too.</param>
/// <param name="AnnouncedBytes">The length in the prefix, for the text of an error.</param>
public readonly record struct GrpcFrame(GrpcFrameFault Fault, ReadOnlyMemory<byte> Message, long AnnouncedBytes)
{
    public bool HasMessage => Fault == GrpcFrameFault.None;

    /// <summary>False when the bytes are not a message of this type.</summary>
    public bool TryParse<T>(MessageParser<T> parser, out T message)
        where T : IMessage<T>
    {
        ArgumentNullException.ThrowIfNull(parser);
        try
        {
            message = parser.ParseFrom(Message.Span);
            return true;
        }
        catch (InvalidProtocolBufferException)
        {
            message = default!;
            return false;
        }
    }
}

/// <summary>
/// The frame of gRPC over HTTP/2: one flag byte (0 = not compressed), four bytes of big-endian length, the message.
/// An empty message still has its five bytes.
/// </summary>
public static class GrpcFrames
{
    public const int PrefixBytes = 5;

    /// <summary>What daprd takes and sends unless told otherwise.</summary>
    public const int DefaultMaxMessageBytes = 4 * 1024 * 1024;

    /// <summary>Appends one framed message; returns the bytes written.</summary>
    public static int Write(IBufferWriter<byte> output, IMessage message)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(message);
        var length = message.CalculateSize();
        var span = output.GetSpan(PrefixBytes + length)[..(PrefixBytes + length)];
        WritePrefix(span, length);
        message.WriteTo(span[PrefixBytes..]);
        output.Advance(span.Length);
        return span.Length;
    }

    /// <summary>One framed message as a byte array.</summary>
    public static byte[] ToBytes(IMessage message)
    {
        ArgumentNullException.ThrowIfNull(message);
        var length = message.CalculateSize();
        var frame = new byte[PrefixBytes + length];
        WritePrefix(frame, length);
        message.WriteTo(frame.AsSpan(PrefixBytes));
        return frame;
    }

    /// <summary>Writes one framed message; the caller flushes.</summary>
    public static async ValueTask WriteAsync(Stream output, IMessage message, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(output);
        await output.WriteAsync(ToBytes(message), cancellationToken);
    }

    /// <summary>Reads the next message; waits for it as long as the stream stays open.</summary>
    public static async ValueTask<GrpcFrame> ReadAsync(
        Stream input, int maxMessageBytes = DefaultMaxMessageBytes, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(input);
        var prefix = new byte[PrefixBytes];
        var read = await input.ReadAtLeastAsync(prefix, PrefixBytes, throwOnEndOfStream: false, cancellationToken);
        if (read < PrefixBytes)
            return new GrpcFrame(read == 0 ? GrpcFrameFault.End : GrpcFrameFault.Truncated, default, 0);

        var (fault, length) = ReadPrefix(prefix, maxMessageBytes);
        if (fault != GrpcFrameFault.None)
            return new GrpcFrame(fault, default, length);

        var message = new byte[length];
        read = await input.ReadAtLeastAsync(message, message.Length, throwOnEndOfStream: false, cancellationToken);
        return read < message.Length
            ? new GrpcFrame(GrpcFrameFault.Truncated, default, length)
            : new GrpcFrame(GrpcFrameFault.None, message, length);
    }

    /// <summary>Reads the next message; what follows it stays in the reader.</summary>
    public static async ValueTask<GrpcFrame> ReadAsync(
        PipeReader input, int maxMessageBytes = DefaultMaxMessageBytes, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(input);
        while (true)
        {
            var result = await input.ReadAsync(cancellationToken);
            if (TryTake(result.Buffer, maxMessageBytes, out var frame, out var consumed))
            {
                input.AdvanceTo(consumed);
                return frame;
            }

            if (result.IsCompleted)
            {
                var fault = result.Buffer.IsEmpty ? GrpcFrameFault.End : GrpcFrameFault.Truncated;
                input.AdvanceTo(result.Buffer.End);
                return new GrpcFrame(fault, default, 0);
            }

            input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        }
    }

    static bool TryTake(ReadOnlySequence<byte> buffer, int maxMessageBytes, out GrpcFrame frame, out SequencePosition consumed)
    {
        frame = default;
        consumed = buffer.Start;
        if (buffer.Length < PrefixBytes)
            return false;

        Span<byte> prefix = stackalloc byte[PrefixBytes];
        buffer.Slice(0, PrefixBytes).CopyTo(prefix);
        var (fault, length) = ReadPrefix(prefix, maxMessageBytes);
        if (fault != GrpcFrameFault.None)
        {
            frame = new GrpcFrame(fault, default, length);
            return true;
        }

        if (buffer.Length < PrefixBytes + length)
            return false;

        var message = buffer.Slice(PrefixBytes, length);
        frame = new GrpcFrame(GrpcFrameFault.None, message.ToArray(), length);
        consumed = message.End;
        return true;
    }

    static (GrpcFrameFault Fault, long Length) ReadPrefix(ReadOnlySpan<byte> prefix, int maxMessageBytes)
    {
        var length = (long)BinaryPrimitives.ReadUInt32BigEndian(prefix[1..]);
        if (prefix[0] != 0)
            return (GrpcFrameFault.Compressed, length);
        return (length > maxMessageBytes ? GrpcFrameFault.TooLarge : GrpcFrameFault.None, length);
    }

    static void WritePrefix(Span<byte> frame, int length)
    {
        frame[0] = 0;
        BinaryPrimitives.WriteInt32BigEndian(frame[1..], length);
    }
}
