using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using LeanPipe.Contracts;

namespace LeanPipe.Cli.Sending;

/// <summary>Lines as the frames of a stream's framing (docs/specs/wire.md). A line keeps its bytes without its end; for frames of a fixed size it is padded with spaces.</summary>
sealed class FramedSource(IFrameSource lines, FramingDefinition framing) : IFrameSource
{
    /// <summary>The lines themselves, where they are frames already.</summary>
    public static IFrameSource Of(IFrameSource lines, FramingDefinition framing) => framing is NewlineFramingDefinition ? lines : new FramedSource(lines, framing);

    public async ValueTask<ReadOnlyMemory<byte>?> NextAsync(CancellationToken stop)
    {
        if (await lines.NextAsync(stop) is not { } line) return null;
        return Frame(line.Span.TrimEnd("\r\n"u8));
    }

    byte[] Frame(ReadOnlySpan<byte> line)
    {
        switch (framing)
        {
            case DelimiterFramingDefinition d:
                if (line.Contains(d.Delimiter)) throw Refused($"holds the delimiter 0x{d.Delimiter:x2}");
                return [.. line, d.Delimiter];
            case LengthPrefixFramingDefinition p:
                var length = line.Length + (p.IncludesHeader ? p.Bytes : 0L);
                if (length >= 1L << (8 * p.Bytes)) throw Refused($"is longer than {p.Bytes} bytes of length can say");
                Span<byte> head = stackalloc byte[sizeof(long)];
                if (p.BigEndian) BinaryPrimitives.WriteInt64BigEndian(head, length);
                else BinaryPrimitives.WriteInt64LittleEndian(head, length);
                return [.. p.BigEndian ? head[^p.Bytes..] : head[..p.Bytes], .. line];
            case VarintFramingDefinition:
                return [.. Varint(line.Length), .. line];
            case OctetCountingFramingDefinition:
                return [.. Encoding.ASCII.GetBytes(line.Length.ToString(CultureInfo.InvariantCulture)), (byte)' ', .. line];
            case FixedFramingDefinition f:
                if (line.Length > f.Bytes) throw Refused($"has {line.Length} bytes, more than a frame's {f.Bytes}");
                var frame = new byte[f.Bytes];
                frame.AsSpan().Fill((byte)' ');
                line.CopyTo(frame);
                return frame;
            default:
                throw Refused($"cannot be framed as {framing.GetType().Name}");
        }
    }

    static List<byte> Varint(int length)
    {
        var bytes = new List<byte>();
        for (; length >= 0x80; length >>= 7) bytes.Add((byte)(length | 0x80));
        bytes.Add((byte)length);
        return bytes;
    }

    static LeanPipeException Refused(string why) => new("cli.cannot_frame", $"A line of the file {why}, which the stream's framing does not allow. Take it out of the file, or send to a stream of another framing.");
}
