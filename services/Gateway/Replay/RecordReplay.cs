using System.Buffers;
using LeanPipe.Contracts;
using LeanPipe.Gateway.Intake;

namespace LeanPipe.Gateway.Replay;

/// <summary>Validates records of segments by another version. Not thread-safe.</summary>
/// <remarks>
/// A segment's lines are JSON whatever the stream's decoder is, with the schema's own names, stamps among its fields, and timestamps as the decoder writes them; when they came is not known, so no record is too early or too late.
/// What an older version has put into the column of unknown fields stays there.
/// </remarks>
sealed class RecordReplay(StreamDefinition definition, TimeProvider time)
{
    const int BlockBytes = 256 * 1024;

    static readonly TimeSpan Ever = TimeSpan.FromDays(1_000_000);

    readonly FrameReplay _frames = new(AsRecords(definition), time);
    readonly ArrayBufferWriter<byte> _block = new();

    public void Judge(ReadOnlySpan<byte> lines, Remade target)
    {
        while (!lines.IsEmpty)
        {
            _block.ResetWrittenCount();
            KeptFramesWriter.Begin(_block, 0, "", client: null, DateTimeOffset.UnixEpoch);
            var count = 0;
            while (!lines.IsEmpty && _block.WrittenCount < BlockBytes)
            {
                var end = lines.IndexOf((byte)'\n');
                var line = end < 0 ? lines : lines[..end];
                lines = end < 0 ? default : lines[(end + 1)..];
                KeptFramesWriter.Add(_block, KeptFault.None, line, line.Length + 1, isTruncated: false);
                count++;
            }
            KeptFramesWriter.End(_block, count);
            _frames.Judge(KeptFrames.Read(_block.WrittenSpan, out _), target);
        }
    }

    static StreamDefinition AsRecords(StreamDefinition stream) => stream with
    {
        Decoder = new JsonDecoderDefinition(),
        Framing = new NewlineFramingDefinition(),
        Stamps = new Dictionary<string, StampSource>(),
        Schema = (RecordType)AsWritten(stream.Schema, isCanonical: stream.Decoder is CellDecoderDefinition),
        Limits = stream.Limits with { MaxAhead = Ever, MaxBehind = Ever },
    };

    static FieldType AsWritten(FieldType type, bool isCanonical) => type switch
    {
        RecordType t => new RecordType([.. t.Fields.Select(f => f with { Type = AsWritten(f.Type, isCanonical) })], t.Extra == ExtraFields.Keep ? ExtraFields.Ignore : t.Extra),
        ListType t => t with { Item = AsWritten(t.Item, isCanonical) },
        UnionType t => new UnionType([.. t.Members.Select(m => AsWritten(m, isCanonical))]),
        TimestampType { Unit: TimestampUnit.Text } when isCanonical => new TimestampType(),
        _ => type,
    };
}
