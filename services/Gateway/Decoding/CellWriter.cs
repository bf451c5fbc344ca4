using System.Buffers;
using System.Buffers.Text;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using LeanPipe.Contracts;
using LeanPipe.Gateway.Validation;

namespace LeanPipe.Gateway.Decoding;

/// <summary>Turns the text of one field into a JSON value of the field's type. Strict: a number must be written as JSON writes it, a bool as true or false.</summary>
/// <remarks>
/// An unquoted empty cell is null for a nullable field, is left out for an optional one, and is the empty string for a required string; anything else needs a text.
/// A union takes its first member that the text can be written as and that accepts what is written. Text timestamps are written as RFC 3339 in UTC, whatever their format is in the line.
/// </remarks>
sealed class CellWriter
{
    static readonly JavaScriptEncoder Escaper = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;

    readonly Field _field;
    readonly byte[] _name;
    readonly UnionMember[] _members;

    public CellWriter(Field field)
    {
        if (field.Type is RecordType or ListType)
            throw new LeanPipeException("gateway.bad_schema", $"The field '{field.Name}' is a record or a list, which no cell can hold. Use the JSON decoder.");
        _field = field;
        _members = field.Type is UnionType union ? [.. union.Members.Select(m => new UnionMember(field with { Type = m }))] : [];
        _name = [(byte)'"', .. Encoding.UTF8.GetBytes(Escaper.Encode(field.Name)), (byte)'"', (byte)':'];
    }

    public string Field => _field.Name;

    public bool IsBool => _field.Type is BoolType;

    /// <summary>Writes <c>"name":value,</c>, or nothing for a cell that leaves the field out.</summary>
    public RejectCode Write(ReadOnlySpan<byte> text, bool isQuoted, ArrayBufferWriter<byte> target)
    {
        if (text.IsEmpty && !isQuoted && (_field.Nullable || !_field.Required))
        {
            if (_field.Nullable) Append(target, "null"u8);
            return RejectCode.None;
        }

        switch (_field.Type)
        {
            case Int64Type or Float64Type or DecimalType or TimestampType { Unit: not TimestampUnit.Text }:
                if (!JsonNumber.Is(text)) return RejectCode.WrongType;
                AppendNumber(text, target);
                return RejectCode.None;
            case BoolType:
                if (!text.SequenceEqual("true"u8) && !text.SequenceEqual("false"u8)) return RejectCode.WrongType;
                Append(target, text);
                return RejectCode.None;
            case TimestampType t:
                var isRead = t.Format is null ? TimestampText.TryParseRfc3339(text, out var ticks) : TimestampText.TryParseCustom(text, t.Format, out ticks);
                if (!isRead) return RejectCode.BadTimestamp;
                Span<byte> written = stackalloc byte[TimestampText.MaxWritten];
                AppendQuoted(target, written[..TimestampText.Write(ticks, written)]);
                return RejectCode.None;
            case UnionType:
                foreach (var member in _members)
                    if (member.TryWrite(text, isQuoted, target)) return RejectCode.None;
                return RejectCode.NoUnionMember;
            default:
                AppendQuoted(target, text);
                return RejectCode.None;
        }
    }

    /// <summary>A decimal travels in a string, where readers keep all its digits, and without exponent, which has no place there. What cannot be written so is beyond every decimal, and stays as it is for the validator to say so.</summary>
    void AppendNumber(ReadOnlySpan<byte> text, ArrayBufferWriter<byte> target)
    {
        Span<byte> plain = stackalloc byte[JsonNumber.LongestPlain];
        if (_field.Type is not DecimalType) Append(target, text);
        else if (JsonNumber.IsPlain(text)) AppendQuoted(target, text);
        else if (JsonNumber.TryWritePlain(text, plain, out var written)) AppendQuoted(target, plain[..written]);
        else Append(target, text);
    }

    void Append(ArrayBufferWriter<byte> target, ReadOnlySpan<byte> value)
    {
        target.Write(_name);
        target.Write(value);
        target.Write(","u8);
    }

    void AppendQuoted(ArrayBufferWriter<byte> target, ReadOnlySpan<byte> text)
    {
        target.Write(_name);
        AppendString(target, text);
        target.Write(","u8);
    }

    /// <summary>Writes <c>"name":"…",</c> with the bytes in base64.</summary>
    public void WriteBase64(ReadOnlySpan<byte> bytes, ArrayBufferWriter<byte> target)
    {
        target.Write(_name);
        target.Write("\""u8);
        Base64.EncodeToUtf8(bytes, target.GetSpan(Base64.GetMaxEncodedToUtf8Length(bytes.Length)), out _, out var written);
        target.Advance(written);
        target.Write("\","u8);
    }

    /// <summary>Writes a JSON string.</summary>
    /// <param name="text">Valid UTF-8.</param>
    public static void AppendString(ArrayBufferWriter<byte> target, ReadOnlySpan<byte> text)
    {
        target.Write("\""u8);
        while (Escaper.EncodeUtf8(text, target.GetSpan(text.Length * 6 + 12), out var read, out var written, isFinalBlock: true) != OperationStatus.InvalidData)
        {
            target.Advance(written);
            text = text[read..];
            if (text.IsEmpty) break;
        }
        target.Write("\""u8);
    }

    /// <summary>One member of a union: what it writes is looked at by its own rules before it counts, for the next member may take the text. Not thread-safe, as its decoder.</summary>
    sealed class UnionMember
    {
        readonly CellWriter _cell;
        readonly FieldCheck _check;
        readonly ArrayBufferWriter<byte> _written = new();
        readonly Verdict _verdict = new();

        public UnionMember(Field field)
        {
            _cell = new(field);
            _check = FieldCheck.Compile(field.Type, canonicalTimestamps: true);
        }

        public bool TryWrite(ReadOnlySpan<byte> text, bool isQuoted, ArrayBufferWriter<byte> target)
        {
            _written.ResetWrittenCount();
            if (_cell.Write(text, isQuoted, _written) != RejectCode.None) return false;

            // Behind the name and its colon, without the comma.
            var reader = new Utf8JsonReader(_written.WrittenSpan[_cell._name.Length..^1]);
            if (!reader.Read() || !_check.Accepts(ref reader, _verdict)) return false;
            target.Write(_written.WrittenSpan);
            return true;
        }
    }
}
