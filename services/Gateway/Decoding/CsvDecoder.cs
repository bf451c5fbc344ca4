using System.Buffers;
using System.Text;
using System.Text.Unicode;
using LeanPipe.Contracts;
using LeanPipe.Gateway.Validation;

namespace LeanPipe.Gateway.Decoding;

/// <summary>Turns a line of CSV into the JSON object that the schema checks and the segment keeps. One per connection.</summary>
sealed class CsvDecoder
{
    readonly CsvDecoderDefinition _definition;
    readonly CellWriter[] _columns;
    readonly CsvCell[] _cells;
    readonly byte _delimiter;
    readonly byte[] _constants;

    public CsvDecoder(CsvDecoderDefinition definition, RecordType schema)
    {
        if (definition.Delimiter is '"' or '\r' or '\n' or > '\x7f')
            throw new LeanPipeException("gateway.bad_schema", "The CSV delimiter must be an ASCII character other than a quote or a line end.");
        _definition = definition;
        _delimiter = (byte)definition.Delimiter;
        _columns = [.. definition.Columns.Select(name => new CellWriter(FieldOf(schema, name)))];
        _cells = new CsvCell[_columns.Length];

        var constants = new ArrayBufferWriter<byte>();
        constants.Write("{"u8);
        foreach (var (name, text) in definition.Constants ?? new Dictionary<string, string>())
        {
            var code = new CellWriter(FieldOf(schema, name)).Write(Encoding.UTF8.GetBytes(text), isQuoted: true, constants);
            if (code != RejectCode.None)
                throw new LeanPipeException("gateway.bad_schema", $"The constant '{name}' of the CSV decoder is refused: {code.Text()}. Give it a value of the field's type.");
        }
        _constants = constants.WrittenSpan.ToArray();
    }

    /// <summary>Whether the line names the columns, in their order. A byte order mark before it is ignored.</summary>
    public bool IsHeader(ReadOnlySpan<byte> line)
    {
        if (line.StartsWith("\uFEFF"u8)) line = line[3..];
        Span<byte> scratch = line.Length <= 1024 ? stackalloc byte[line.Length] : new byte[line.Length];
        var position = 0;
        foreach (var name in _definition.Columns)
        {
            if (position > line.Length || !CsvCells.TryRead(line, _delimiter, ref position, out var cell)) return false;
            if (!CsvCells.Text(line, cell, scratch).SequenceEqual(Encoding.UTF8.GetBytes(name))) return false;
        }
        return position == line.Length + 1;
    }

    /// <summary>Appends the line's JSON object to <paramref name="target"/>; false with the reason in the verdict, and then what was appended is to be dropped.</summary>
    public bool TryDecode(ReadOnlySpan<byte> line, ArrayBufferWriter<byte> target, Verdict verdict)
    {
        verdict.Reset();
        if (!Utf8.IsValid(line)) return verdict.Fail(RejectCode.BadUtf8, 0);
        target.Write(_constants);
        var position = 0;
        for (var i = 0; i < _columns.Length; i++)
        {
            if (position > line.Length) return verdict.Fail(RejectCode.WrongCellCount, line.Length);
            if (!CsvCells.TryRead(line, _delimiter, ref position, out var cell)) return verdict.Fail(RejectCode.BadCsv, cell.Start);
            _cells[i] = cell;
            var code = _columns[i].Write(CsvCells.Text(line, cell, verdict.Bytes(cell.Length)), cell.IsQuoted, target);
            if (code == RejectCode.None) continue;
            verdict.Fail(code, cell.Start);
            return verdict.In(_columns[i].Field);
        }
        if (position <= line.Length) return verdict.Fail(RejectCode.WrongCellCount, position);

        // Every member ended with a comma; the last one's place is the closing brace's.
        if (target.WrittenSpan[^1] == ',') ReplaceLast(target);
        else target.Write("}"u8);
        return true;
    }

    /// <summary>Where the refused field stands in the line, given what the validator said about the JSON.</summary>
    public int OffsetInLine(Verdict verdict)
    {
        var column = Array.FindIndex(_columns, c => c.Field == verdict.TopField);
        return column < 0 ? 0 : _cells[column].Start;
    }

    static void ReplaceLast(ArrayBufferWriter<byte> target) =>
        System.Runtime.InteropServices.MemoryMarshal.AsMemory(target.WrittenMemory).Span[^1] = (byte)'}';

    static Field FieldOf(RecordType schema, string name) => schema.Fields.FirstOrDefault(f => f.Name == name) ??
        throw new LeanPipeException("gateway.bad_schema", $"The CSV decoder names '{name}', which the schema has no field for. Expected one of: {string.Join(", ", schema.Fields.Select(f => f.Name))}.");
}
