using System.Buffers;
using System.Text;
using System.Text.Json;
using LeanPipe.Contracts;
using LeanPipe.Gateway.Validation;

namespace LeanPipe.Gateway.Decoding;

/// <summary>How the values of a type are rewritten. Null stands for a type whose values stay as they are.</summary>
abstract class Shape
{
    /// <summary>The reader stands on the value's first token and ends on its last.</summary>
    public abstract void Write(ref Utf8JsonReader reader, ReadOnlySpan<byte> record, Verdict verdict, ArrayBufferWriter<byte> target);

    public static Shape? Of(FieldType type) => type switch
    {
        RecordType t => RecordShape.Of(t),
        ListType t => Of(t.Item) is { } item ? new ListShape(item) : null,
        UnionType t when t.Members.Any(m => Of(m) is not null) =>
            throw new LeanPipeException("gateway.bad_schema", "A record within a union has a default, an alias or 'extra: keep', but a union keeps its values as they are. Take it out of the union, or leave these out."),
        _ => null,
    };

    /// <summary>The value that the reader stands on, with an LF of its white space as a space: in a segment LF ends a record.</summary>
    protected static void Copy(ref Utf8JsonReader reader, ReadOnlySpan<byte> record, ArrayBufferWriter<byte> target)
    {
        var start = (int)reader.TokenStartIndex;
        reader.Skip();
        var value = record[start..(int)reader.BytesConsumed];
        value.Replace(target.GetSpan(value.Length), (byte)'\n', (byte)' ');
        target.Advance(value.Length);
    }

    sealed class ListShape(Shape item) : Shape
    {
        public override void Write(ref Utf8JsonReader reader, ReadOnlySpan<byte> record, Verdict verdict, ArrayBufferWriter<byte> target)
        {
            var separator = "["u8;
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                target.Write(separator);
                item.Write(ref reader, record, verdict, target);
                separator = ","u8;
            }
            target.Write(separator is [(byte)'['] ? "[]"u8 : "]"u8);
        }
    }
}

sealed class RecordShape : Shape
{
    /// <summary>A record without anything to rewrite, which stamps are to be added to.</summary>
    public static readonly RecordShape Plain = new(new([], ExtraFields.Ignore));

    static readonly byte[] ExtraName = Quoted(RecordType.ExtraColumn);

    readonly (byte[] Name, int Field)[] _names;
    readonly (byte[] Quoted, Shape? Shape, byte[]? Default)[] _fields;
    readonly bool _keepsOthers;

    RecordShape(RecordType type)
    {
        _names = [.. type.Fields.SelectMany((f, i) => (f.Aliases ?? []).Prepend(f.Name).Select(n => (Encoding.UTF8.GetBytes(n), i)))];
        _fields = [.. type.Fields.Select(f => (Quoted(f.Name), Of(f.Type), f.Default is null ? null : Encoding.UTF8.GetBytes(f.Default)))];
        _keepsOthers = type.Extra == ExtraFields.Keep;
    }

    public static RecordShape? Of(RecordType type) =>
        type.Extra == ExtraFields.Keep || type.Fields.Any(f => f.Default is not null || f.Aliases is { Count: > 0 } || Shape.Of(f.Type) is not null) ? new(type) : null;

    /// <summary>A field's name as it stands before its value: <c>"name":</c>.</summary>
    public static byte[] Quoted(string name)
    {
        var target = new ArrayBufferWriter<byte>();
        CellWriter.AppendString(target, Encoding.UTF8.GetBytes(name));
        target.Write(":"u8);
        return target.WrittenSpan.ToArray();
    }

    public override void Write(ref Utf8JsonReader reader, ReadOnlySpan<byte> record, Verdict verdict, ArrayBufferWriter<byte> target)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            Copy(ref reader, record, target);
            return;
        }
        var again = reader;
        Span<ulong> seen = stackalloc ulong[RecordCheck.MaxFields / 64];
        seen.Clear();
        var (hasOthers, isFirst) = (false, true);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var field = Find(ref reader, verdict);
            if (field < 0 && _keepsOthers)
            {
                hasOthers = true;
                reader.Skip();
                continue;
            }
            Separate(ref isFirst, target);
            if (field < 0)
            {
                CopyName(ref reader, record, target);
                reader.Read();
                Copy(ref reader, record, target);
                continue;
            }
            seen[field >> 6] |= 1UL << (field & 63);
            target.Write(_fields[field].Quoted);
            reader.Read();
            if (_fields[field].Shape is { } shape && reader.TokenType != JsonTokenType.Null) shape.Write(ref reader, record, verdict, target);
            else Copy(ref reader, record, target);
        }
        for (var i = 0; i < _fields.Length; i++)
        {
            if (_fields[i].Default is not { } value || (seen[i >> 6] & (1UL << (i & 63))) != 0) continue;
            Separate(ref isFirst, target);
            target.Write(_fields[i].Quoted);
            target.Write(value);
        }
        if (hasOthers)
        {
            Separate(ref isFirst, target);
            WriteOthers(ref again, record, verdict, target);
        }
        target.Write(isFirst ? "{}"u8 : "}"u8);
    }

    void WriteOthers(ref Utf8JsonReader reader, ReadOnlySpan<byte> record, Verdict verdict, ArrayBufferWriter<byte> target)
    {
        target.Write(ExtraName);
        var isFirst = true;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            if (Find(ref reader, verdict) >= 0)
            {
                reader.Skip();
                continue;
            }
            Separate(ref isFirst, target);
            CopyName(ref reader, record, target);
            reader.Read();
            Copy(ref reader, record, target);
        }
        target.Write("}"u8);
    }

    static void Separate(ref bool isFirst, ArrayBufferWriter<byte> target)
    {
        target.Write(isFirst ? "{"u8 : ","u8);
        isFirst = false;
    }

    static void CopyName(ref Utf8JsonReader reader, ReadOnlySpan<byte> record, ArrayBufferWriter<byte> target)
    {
        target.Write(record.Slice((int)reader.TokenStartIndex, reader.ValueSpan.Length + 2));
        target.Write(":"u8);
    }

    int Find(ref Utf8JsonReader reader, Verdict verdict)
    {
        var name = verdict.Text(ref reader);
        foreach (var (known, field) in _names)
            if (name.SequenceEqual(known)) return field;
        return -1;
    }
}
