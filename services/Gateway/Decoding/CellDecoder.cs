using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using LeanPipe.Contracts;
using LeanPipe.Gateway.Validation;

namespace LeanPipe.Gateway.Decoding;

/// <summary>Turns a frame into the JSON object that the schema checks and the segment keeps. Not thread-safe.</summary>
/// <remarks>What the frame says about a field becomes JSON by the field's type (<see cref="CellWriter"/>); everything else about the record is the validator's.</remarks>
abstract class CellDecoder
{
    readonly byte[] _constants;
    readonly List<(string Field, int Start)> _starts = [];

    protected CellDecoder(CellDecoderDefinition definition, RecordType schema)
    {
        Schema = schema;
        var constants = new ArrayBufferWriter<byte>();
        constants.Write("{"u8);
        foreach (var (name, text) in definition.Constants ?? new Dictionary<string, string>())
        {
            var code = Cell(name).Write(Encoding.UTF8.GetBytes(text), isQuoted: true, constants);
            if (code != RejectCode.None)
                throw new LeanPipeException("gateway.bad_schema", $"The constant '{name}' of the decoder is refused: {code.Text()}. Give it a value of the field's type.");
        }
        _constants = constants.WrittenSpan.ToArray();
    }

    protected RecordType Schema { get; }

    /// <summary>Null for JSON, whose frames are records already.</summary>
    public static CellDecoder? Of(StreamDefinition stream) => stream.Decoder switch
    {
        CsvDecoderDefinition csv => new CsvDecoder(csv, stream.Schema),
        KeyValueDecoderDefinition pairs => new KeyValueDecoder(pairs, stream.Schema),
        BinaryDecoderDefinition binary => new BinaryDecoder(binary, stream.Schema),
        RegexDecoderDefinition regex => new RegexDecoder(regex, stream.Schema),
        SyslogDecoderDefinition syslog => new SyslogDecoder(syslog, stream.Schema),
        RawDecoderDefinition raw => new RawDecoder(raw, stream.Schema),
        _ => null,
    };

    /// <summary>Appends the frame's JSON object to <paramref name="target"/>; false with the reason in the verdict, and then what was appended is to be dropped.</summary>
    /// <param name="now">When the frame was read.</param>
    public bool TryDecode(ReadOnlySpan<byte> frame, DateTimeOffset now, ArrayBufferWriter<byte> target, Verdict verdict)
    {
        verdict.Reset();
        _starts.Clear();
        target.Write(_constants);
        if (!TryDecodeCells(frame, now, target, verdict)) return false;

        // Every member ended with a comma; the last one's place is the closing brace's.
        if (target.WrittenSpan[^1] == ',') MemoryMarshal.AsMemory(target.WrittenMemory).Span[^1] = (byte)'}';
        else target.Write("}"u8);
        return true;
    }

    /// <summary>Where the refused field stands in the frame, given what the validator said about the JSON.</summary>
    public int OffsetInFrame(Verdict verdict)
    {
        var field = verdict.TopField;
        var last = _starts.FindLastIndex(s => s.Field == field);
        return last < 0 ? 0 : _starts[last].Start;
    }

    protected abstract bool TryDecodeCells(ReadOnlySpan<byte> frame, DateTimeOffset now, ArrayBufferWriter<byte> target, Verdict verdict);

    /// <summary>Writes one field.</summary>
    /// <param name="start">Where it stands in the frame.</param>
    protected bool Write(CellWriter cell, ReadOnlySpan<byte> text, bool isQuoted, int start, ArrayBufferWriter<byte> target, Verdict verdict)
    {
        _starts.Add((cell.Field, start));
        var code = cell.Write(text, isQuoted, target);
        if (code == RejectCode.None) return true;
        verdict.Fail(code, start);
        return verdict.In(cell.Field);
    }

    protected bool WriteBase64(CellWriter cell, ReadOnlySpan<byte> bytes, int start, ArrayBufferWriter<byte> target)
    {
        _starts.Add((cell.Field, start));
        cell.WriteBase64(bytes, target);
        return true;
    }

    protected CellWriter Cell(string name) => new(Schema.Fields.FirstOrDefault(f => f.Name == name) ??
        throw new LeanPipeException("gateway.bad_schema", $"The decoder names '{name}', which the schema has no field for. Expected one of: {string.Join(", ", Schema.Fields.Select(f => f.Name))}."));
}
