using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text.Unicode;
using LeanPipe.Contracts;
using LeanPipe.Gateway.Validation;

namespace LeanPipe.Gateway.Decoding;

/// <summary>A structure of a fixed size, field by field. Whole numbers are scaled in decimal arithmetic, so 1234 by 0.01 is 12.34 and nothing else.</summary>
sealed class BinaryDecoder : CellDecoder
{
    /// <summary>Longest text of a number: a double's 24 characters, a decimal's 31.</summary>
    const int LongestNumber = 40;

    readonly BinaryDecoderDefinition _definition;
    readonly CellWriter[] _cells;

    public BinaryDecoder(BinaryDecoderDefinition definition, RecordType schema) : base(definition, schema)
    {
        foreach (var field in definition.Fields)
            if (field.At < 0 || field.Length < 1 || field.At + field.Length > definition.Size)
                throw new LeanPipeException("gateway.bad_schema", $"The field '{field.Field}' of the binary decoder takes {field.Length} bytes at {field.At}, outside the {definition.Size} bytes of a frame.");
        _definition = definition;
        _cells = [.. definition.Fields.Select(f => Cell(f.Field))];
    }

    protected override bool TryDecodeCells(ReadOnlySpan<byte> frame, DateTimeOffset now, ArrayBufferWriter<byte> target, Verdict verdict)
    {
        if (frame.Length != _definition.Size) return verdict.Fail(RejectCode.WrongSize, Math.Min(frame.Length, _definition.Size));
        Span<byte> number = stackalloc byte[LongestNumber];
        for (var i = 0; i < _cells.Length; i++)
        {
            var field = _definition.Fields[i];
            var bytes = frame.Slice(field.At, field.Length);
            var isWritten = field.Type switch
            {
                BinaryType.Bytes => WriteBase64(_cells[i], bytes, field.At, target),
                BinaryType.Text => WriteText(_cells[i], bytes, field.At, target, verdict),
                BinaryType.Bool when bytes[0] <= 1 => Write(_cells[i], bytes[0] == 1 ? "true"u8 : "false"u8, isQuoted: false, field.At, target, verdict),
                BinaryType.Bool => Refuse(_cells[i], RejectCode.WrongType, field.At, verdict),
                _ => Format(field, bytes, number, out var written) ? Write(_cells[i], number[..written], isQuoted: false, field.At, target, verdict)
                    : Refuse(_cells[i], RejectCode.OutOfRange, field.At, verdict),
            };
            if (!isWritten) return false;
        }
        return true;
    }

    bool WriteText(CellWriter cell, ReadOnlySpan<byte> bytes, int at, ArrayBufferWriter<byte> target, Verdict verdict)
    {
        var text = bytes.TrimEnd("\0 "u8);
        return Utf8.IsValid(text) ? Write(cell, text, isQuoted: false, at, target, verdict) : Refuse(cell, RejectCode.BadUtf8, at, verdict);
    }

    static bool Refuse(CellWriter cell, RejectCode code, int at, Verdict verdict)
    {
        verdict.Fail(code, at);
        return verdict.In(cell.Field);
    }

    /// <summary>False for a float that is no number.</summary>
    static bool Format(BinaryField field, ReadOnlySpan<byte> bytes, Span<byte> text, out int written)
    {
        if (field.Type is BinaryType.F32 or BinaryType.F64)
        {
            var value = field.Type == BinaryType.F64
                ? field.BigEndian ? BinaryPrimitives.ReadDoubleBigEndian(bytes) : BinaryPrimitives.ReadDoubleLittleEndian(bytes)
                : field.BigEndian ? BinaryPrimitives.ReadSingleBigEndian(bytes) : BinaryPrimitives.ReadSingleLittleEndian(bytes);
            if (field.Scale != 1) value *= (double)field.Scale;
            written = 0;
            return double.IsFinite(value) && value.TryFormat(text, out written, "R", CultureInfo.InvariantCulture);
        }
        var whole = Whole(field, bytes);
        if (field.Scale != 1) whole *= field.Scale;
        return whole.TryFormat(text, out written, default, CultureInfo.InvariantCulture);
    }

    static decimal Whole(BinaryField field, ReadOnlySpan<byte> bytes) => (field.Type, field.BigEndian) switch
    {
        (BinaryType.I8, _) => (sbyte)bytes[0],
        (BinaryType.U8, _) => bytes[0],
        (BinaryType.I16, true) => BinaryPrimitives.ReadInt16BigEndian(bytes),
        (BinaryType.I16, false) => BinaryPrimitives.ReadInt16LittleEndian(bytes),
        (BinaryType.U16, true) => BinaryPrimitives.ReadUInt16BigEndian(bytes),
        (BinaryType.U16, false) => BinaryPrimitives.ReadUInt16LittleEndian(bytes),
        (BinaryType.I32, true) => BinaryPrimitives.ReadInt32BigEndian(bytes),
        (BinaryType.I32, false) => BinaryPrimitives.ReadInt32LittleEndian(bytes),
        (BinaryType.U32, true) => BinaryPrimitives.ReadUInt32BigEndian(bytes),
        (BinaryType.U32, false) => BinaryPrimitives.ReadUInt32LittleEndian(bytes),
        (BinaryType.I64, true) => BinaryPrimitives.ReadInt64BigEndian(bytes),
        (BinaryType.I64, false) => BinaryPrimitives.ReadInt64LittleEndian(bytes),
        (_, true) => BinaryPrimitives.ReadUInt64BigEndian(bytes),
        (_, false) => BinaryPrimitives.ReadUInt64LittleEndian(bytes),
    };
}
