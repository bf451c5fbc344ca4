using System.Buffers;
using System.Text;
using System.Text.Unicode;
using LeanPipe.Contracts;
using LeanPipe.Gateway.Validation;

namespace LeanPipe.Gateway.Decoding;

/// <summary>A line of CSV, its cells by position.</summary>
sealed class CsvDecoder : CellDecoder
{
    readonly CsvDecoderDefinition _definition;
    readonly CellWriter[] _columns;
    readonly byte _delimiter;

    public CsvDecoder(CsvDecoderDefinition definition, RecordType schema) : base(definition, schema)
    {
        if (definition.Delimiter is '"' or '\r' or '\n' or > '\x7f')
            throw new LeanPipeException("gateway.bad_schema", "The CSV delimiter must be an ASCII character other than a quote or a line end.");
        _definition = definition;
        _delimiter = (byte)definition.Delimiter;
        _columns = [.. definition.Columns.Select(Cell)];
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

    protected override bool TryDecodeCells(ReadOnlySpan<byte> frame, DateTimeOffset now, ArrayBufferWriter<byte> target, Verdict verdict)
    {
        if (!Utf8.IsValid(frame)) return verdict.Fail(RejectCode.BadUtf8, 0);
        var position = 0;
        foreach (var column in _columns)
        {
            if (position > frame.Length) return verdict.Fail(RejectCode.WrongCellCount, frame.Length);
            if (!CsvCells.TryRead(frame, _delimiter, ref position, out var cell)) return verdict.Fail(RejectCode.BadCsv, cell.Start);
            if (!Write(column, CsvCells.Text(frame, cell, verdict.Bytes(cell.Length)), cell.IsQuoted, cell.Start, target, verdict)) return false;
        }
        return position > frame.Length || verdict.Fail(RejectCode.WrongCellCount, position);
    }
}
