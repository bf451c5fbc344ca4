using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;
using LeanPipe.Contracts;
using LeanPipe.Gateway.Decoding;
using LeanPipe.Gateway.Log;

namespace LeanPipe.Gateway.Intake;

/// <summary>A bound on the bytes of the log that frames become when they are validated, whatever they hold: so many for each frame, and so many for each of its bytes.</summary>
/// <remarks>
/// A frame becomes a record or a reject. For each byte, a record grows by the escapes of a decoder (a control character of one byte is six in JSON), and by what the schema adds to records within lists, the shortest of which has
/// three bytes with its comma; for each frame, by the names, quotes, defaults, constants and stamps of the record itself. A reject has the beginning of its frame in base64, its schema's longest path or, escaped, a name of its
/// own, and what is known about the connection. Each is counted as if it had an entry of its own.
/// </remarks>
[StructLayout(LayoutKind.Auto)]
readonly record struct FrameGrowth(long PerFrame, double PerByte)
{
    const int EscapedByte = 6;

    /// <summary>A block's own entries and the batch around them.</summary>
    const int PerBlock = LogFormat.BatchHeaderBytes + 2 * LogFormat.EntryHeaderBytes + ReadEntry.Bytes + JudgedEntry.Bytes;

    /// <summary>An address with its port, or a certificate's name: 64 characters by X.520, with room for those that are longer.</summary>
    const int PeerBytes = 64 * EscapedByte;
    const int ClientBytes = 256 * EscapedByte;

    /// <summary>Names and punctuation of a reject's line, its code twice, four numbers, a time.</summary>
    const int RejectLineBytes = 400;

    /// <summary>The name of a refused field, or the base64 of the bytes: both are of the frame.</summary>
    const double RejectPerByte = EscapedByte + 4.0 / 3;

    /// <summary>The shortest record within a list: <c>{},</c>.</summary>
    const int ShortestItem = 3;

    /// <summary>A value that is written anew and grows with no byte of the frame: a time, a number, null, quotes.</summary>
    const int WrittenValue = 48;

    /// <summary>Of frames whose stream has no document.</summary>
    public static readonly FrameGrowth Unknown = new(RejectLineBytes + PeerBytes + ClientBytes, RejectPerByte);

    public long Of(long bytes, long frames, long blocks) => blocks * PerBlock + frames * PerFrame + (long)Math.Ceiling(bytes * PerByte);

    public static FrameGrowth Of(StreamDefinition stream)
    {
        var added = Once(stream.Schema) + Stamps(stream);
        var perByte = 1 + InLists(stream.Schema);
        if (stream.Decoder is CellDecoderDefinition cells)
        {
            added += stream.Schema.Fields.Sum(f => Name(f.Name) + WrittenValue) + (cells.Constants?.Values.Sum(c => Bytes(c) * EscapedByte) ?? 0);
            perByte += cells switch
            {
                // A key alone, with its delimiter: "k":true, of two bytes.
                KeyValueDecoderDefinition => EscapedByte + 1,
                RegexDecoderDefinition regex => EscapedByte * Groups(regex),
                RawDecoderDefinition => 4.0 / 3,
                _ => EscapedByte,
            };
        }
        var record = LogFormat.EntryHeaderBytes + RecordsEntry.HeadBytes + 1 + added;
        var reject = LogFormat.EntryHeaderBytes + RejectEntry.HeadBytes + RejectLineBytes + PeerBytes + ClientBytes + EscapedByte * LongestPath(stream.Schema);
        return new(Math.Max(record, reject), Math.Max(perByte, RejectPerByte));
    }

    /// <summary>What is added to one record of the type, and to the records within it that are in no list.</summary>
    static long Once(RecordType type) =>
        type.Fields.Sum(f => Added(f) + (f.Type is RecordType inner ? Once(inner) : 0)) + (type.Extra == ExtraFields.Keep ? Name(RecordType.ExtraColumn) + 3 : 0);

    /// <summary>A default that is written, or a name in the place of a shorter alias.</summary>
    static long Added(Field field) => (field.Default is { } value ? Name(field.Name) + Bytes(value) + 1 : 0) + (field.Aliases is { Count: > 0 } ? Name(field.Name) : 0);

    static double InLists(FieldType type) => type switch
    {
        ListType { Item: RecordType item } => (double)Once(item) / ShortestItem + InLists(item),
        ListType list => InLists(list.Item),
        RecordType record => record.Fields.Sum(f => InLists(f.Type)),
        _ => 0,
    };

    static long Stamps(StreamDefinition stream) => stream.Stamps.Sum(s => Name(s.Key) + s.Value switch { StampSource.Peer => PeerBytes, StampSource.ClientName => ClientBytes, _ => WrittenValue });

    static int Groups(RegexDecoderDefinition regex) => new Regex(regex.Pattern, RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture).GetGroupNumbers().Length - 1;

    static long LongestPath(FieldType type) => type switch
    {
        RecordType record => record.Fields.Select(f => Bytes(f.Name) + 1 + LongestPath(f.Type)).DefaultIfEmpty().Max(),
        ListType list => "[1234567890]".Length + LongestPath(list.Item),
        _ => 0,
    };

    /// <summary>With quotes, colon and comma, every byte escaped.</summary>
    static long Name(string name) => Bytes(name) * EscapedByte + 4;

    static long Bytes(string text) => Encoding.UTF8.GetByteCount(text);
}
