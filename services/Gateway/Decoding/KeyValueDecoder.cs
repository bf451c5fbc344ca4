using System.Buffers;
using System.Text;
using System.Text.Unicode;
using LeanPipe.Contracts;
using LeanPipe.Gateway.Validation;

namespace LeanPipe.Gateway.Decoding;

/// <summary>Pairs <c>key=value</c> apart by a delimiter: logfmt. A key alone is the bool true; a value that holds the delimiter, a quote or nothing at all is quoted, with JSON's escapes.</summary>
sealed class KeyValueDecoder : CellDecoder
{
    const byte Quote = (byte)'"';

    readonly (byte[] Key, CellWriter Cell)[] _keys;
    readonly byte _delimiter;
    readonly bool _mayHaveOthers;

    public KeyValueDecoder(KeyValueDecoderDefinition definition, RecordType schema) : base(definition, schema)
    {
        if (definition.Delimiter is '"' or '=' or '\r' or '\n' or > '\x7f')
            throw new LeanPipeException("gateway.bad_schema", "The delimiter of key=value pairs must be an ASCII character other than a quote, an equals sign or a line end.");
        _delimiter = (byte)definition.Delimiter;
        _mayHaveOthers = schema.Extra != ExtraFields.Reject;
        var keys = new List<(byte[], CellWriter)>();
        foreach (var field in schema.Fields.Where(f => f.Type is not (RecordType or ListType)))
        {
            var cell = Cell(field.Name);
            foreach (var name in (field.Aliases ?? []).Prepend(field.Name)) keys.Add((Encoding.UTF8.GetBytes(name), cell));
        }
        _keys = [.. keys];
    }

    protected override bool TryDecodeCells(ReadOnlySpan<byte> frame, DateTimeOffset now, ArrayBufferWriter<byte> target, Verdict verdict)
    {
        if (!Utf8.IsValid(frame)) return verdict.Fail(RejectCode.BadUtf8, 0);
        var expected = 0;
        for (var i = 0; ;)
        {
            while (i < frame.Length && (frame[i] == _delimiter || frame[i] == ' ')) i++;
            if (i == frame.Length) return true;

            var start = i;
            while (i < frame.Length && frame[i] != '=' && frame[i] != Quote && frame[i] > ' ' && frame[i] != _delimiter) i++;
            var key = frame[start..i];
            if (key.IsEmpty) return verdict.Fail(RejectCode.BadKeyValue, start);

            ReadOnlySpan<byte> value;
            var (isQuoted, isAlone) = (false, true);
            if (i < frame.Length && frame[i] == '=')
            {
                i++;
                isAlone = false;
                isQuoted = i < frame.Length && frame[i] == Quote;
                if (isQuoted ? !TryQuoted(frame, ref i, verdict, out value) : !TryPlain(frame, ref i, verdict, out value)) return false;
            }
            else value = "true"u8;
            if (i < frame.Length && frame[i] != _delimiter) return verdict.Fail(RejectCode.BadKeyValue, i);
            if (!TryWrite(key, value, isQuoted, isAlone, start, ref expected, target, verdict)) return false;
        }
    }

    bool TryWrite(
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, bool isQuoted, bool isAlone, int start, ref int expected, ArrayBufferWriter<byte> target, Verdict verdict)
    {
        var index = Find(key, expected);
        if (index >= 0)
        {
            expected = index + 1;
            var cell = _keys[index].Cell;
            if (!isAlone || cell.IsBool) return Write(cell, value, isQuoted, start, target, verdict);
            verdict.Fail(RejectCode.WrongType, start);
            return verdict.In(cell.Field);
        }
        if (!_mayHaveOthers)
        {
            verdict.Fail(RejectCode.UnknownField, start);
            return verdict.InUnknown(start, key.Length);
        }
        CellWriter.AppendString(target, key);
        target.Write(":"u8);
        if (isAlone) target.Write("true"u8);
        else CellWriter.AppendString(target, value);
        target.Write(","u8);
        return true;
    }

    /// <summary>Most senders keep one order of keys, so the search begins after the key before.</summary>
    int Find(ReadOnlySpan<byte> key, int expected)
    {
        for (var i = expected; i < _keys.Length; i++)
            if (key.SequenceEqual(_keys[i].Key)) return i;
        for (var i = 0; i < Math.Min(expected, _keys.Length); i++)
            if (key.SequenceEqual(_keys[i].Key)) return i;
        return -1;
    }

    bool TryPlain(ReadOnlySpan<byte> frame, scoped ref int i, Verdict verdict, out ReadOnlySpan<byte> value)
    {
        var length = frame[i..].IndexOf(_delimiter);
        value = length < 0 ? frame[i..] : frame.Slice(i, length);
        var bad = value.IndexOf(Quote);
        if (bad >= 0) return verdict.Fail(RejectCode.BadKeyValue, i + bad);
        i += value.Length;
        return true;
    }

    static bool TryQuoted(ReadOnlySpan<byte> frame, scoped ref int i, Verdict verdict, out ReadOnlySpan<byte> value)
    {
        var start = i++;
        while (i < frame.Length && frame[i] != Quote) i += frame[i] == '\\' ? 2 : 1;
        value = [];
        if (i >= frame.Length) return verdict.Fail(RejectCode.BadKeyValue, start);
        var raw = frame[(start + 1)..i++];
        if (raw.IndexOf((byte)'\\') < 0)
        {
            value = raw;
            return true;
        }
        var scratch = verdict.Bytes(raw.Length);
        var fault = QuotedText.TryUnescape(raw, scratch, out var written);
        if (fault != RejectCode.None) return verdict.Fail(fault, start);
        value = scratch[..written];
        return true;
    }
}
