using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using LeanPipe.Contracts;

namespace LeanPipe.Gateway.Validation;

/// <summary>What the quick walk knows how to accept. Everything else is left to the strict validator.</summary>
enum QuickKind
{
    /// <summary>Never accepted here.</summary>
    Unsure,
    Int64,
    Float64,
    Decimal,
    Bool,
    String,
    Enum,
    EpochTimestamp,
    TextTimestamp,
    Record,
    Union,
}

/// <summary>A record type, laid out for <see cref="QuickWalk"/>. Immutable.</summary>
sealed class QuickRecord
{
    /// <summary>The set of fields seen is one word.</summary>
    const int MaxFields = 64;

    /// <summary>Far below <see cref="RecordValidator.MaxDepth"/>, so that the walk never decides about depth.</summary>
    const int MaxDepth = 8;

    public required QuickField[] Fields { get; init; }

    /// <summary>Fields without which the record is not accepted here: the required ones, and those whose default has to be written.</summary>
    public required ulong Required { get; init; }

    /// <summary>Null when the walk could not accept any record of the type.</summary>
    public static QuickRecord? Of(RecordType type, string? eventTime, bool canonicalTimestamps, int depth = 1)
    {
        if (type.Fields.Count is 0 or > MaxFields || depth > MaxDepth || !type.Fields.All(f => QuickText.IsPlain(f.Name))) return null;
        var fields = type.Fields
            .Select(f => new QuickField(new($"\"{f.Name}\":"), QuickValue.Of(f.Type, canonicalTimestamps, depth), f.Nullable, f.Name == eventTime))
            .ToArray();
        var required = 0UL;
        for (var i = 0; i < fields.Length; i++)
            if (type.Fields[i].Required || type.Fields[i].Default is not null) required |= 1UL << i;
        return new() { Fields = fields, Required = required };
    }
}

/// <param name="Name">Quoted, with the colon.</param>
sealed record QuickField(QuickText Name, QuickValue Value, bool Nullable, bool IsEventTime);

/// <summary>One type of a field.</summary>
sealed class QuickValue
{
    static readonly QuickValue Unsure = new() { Kind = QuickKind.Unsure };

    public required QuickKind Kind { get; init; }

    public long Min { get; init; }

    public long Max { get; init; }

    public bool HasRange { get; init; }

    public double MinFloat { get; init; }

    public double MaxFloat { get; init; }

    /// <summary>Of a string in bytes, for those of ASCII alone; digits before the point of a decimal.</summary>
    public int MaxLength { get; init; }

    /// <summary>Of a string in bytes; digits behind the point of a decimal.</summary>
    public int MinLength { get; init; }

    public TimestampUnit Unit { get; init; }

    public string? Format { get; init; }

    public QuickText[] Values { get; init; } = [];

    public QuickValue[] Members { get; init; } = [];

    public QuickRecord? Record { get; init; }

    public static QuickValue Of(FieldType type, bool canonicalTimestamps, int depth) => type switch
    {
        Int64Type t => new() { Kind = QuickKind.Int64, Min = t.Min, Max = t.Max },
        Float64Type t => new() { Kind = QuickKind.Float64, HasRange = t.Min > double.MinValue || t.Max < double.MaxValue, MinFloat = t.Min, MaxFloat = t.Max },
        DecimalType t => new() { Kind = QuickKind.Decimal, MaxLength = t.Precision - t.Scale, MinLength = t.Scale },
        BoolType => new() { Kind = QuickKind.Bool },
        StringType { Pattern: null } t => new() { Kind = QuickKind.String, MinLength = t.MinLength, MaxLength = t.MaxLength },
        EnumType t when t.Values.All(QuickText.IsPlain) => new() { Kind = QuickKind.Enum, Values = [.. t.Values.Select(v => new QuickText($"\"{v}\""))] },
        TimestampType { Unit: TimestampUnit.Text } t => new() { Kind = QuickKind.TextTimestamp, Format = canonicalTimestamps ? null : t.Format },
        TimestampType t => new() { Kind = QuickKind.EpochTimestamp, Unit = t.Unit },
        RecordType t when QuickRecord.Of(t, eventTime: null, canonicalTimestamps, depth + 1) is { } record => new() { Kind = QuickKind.Record, Record = record },
        UnionType t => new() { Kind = QuickKind.Union, Members = [.. t.Members.Select(m => Of(m, canonicalTimestamps, depth))] },
        _ => Unsure,
    };
}

/// <summary>Bytes to compare with, by a word at each end where they are not longer than two.</summary>
sealed class QuickText
{
    readonly byte[] _utf8;
    readonly ulong _head;
    readonly ulong _tail;

    public QuickText(string text)
    {
        _utf8 = Encoding.UTF8.GetBytes(text);
        if (_utf8.Length >= 8) (_head, _tail) = (BinaryPrimitives.ReadUInt64LittleEndian(_utf8), BinaryPrimitives.ReadUInt64LittleEndian(_utf8.AsSpan(_utf8.Length - 8)));
        else if (_utf8.Length >= 4) (_head, _tail) = (BinaryPrimitives.ReadUInt32LittleEndian(_utf8), BinaryPrimitives.ReadUInt32LittleEndian(_utf8.AsSpan(_utf8.Length - 4)));
    }

    public int Length => _utf8.Length;

    /// <summary>Whether a JSON string may hold the text as it is.</summary>
    public static bool IsPlain(string text) => !text.Any(c => c is < ' ' or '"' or '\\');

    /// <summary>Whether the bytes at a place are these, reading none at or behind the end.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool IsAt(ref byte text, int at, int end)
    {
        var length = _utf8.Length;
        if (end - at < length) return false;
        ref var first = ref Unsafe.Add(ref text, at);
        if (length >= 8)
        {
            return Word(ref first) == _head && Word(ref Unsafe.Add(ref first, length - 8)) == _tail &&
                (length <= 16 || MemoryMarshal.CreateReadOnlySpan(ref Unsafe.Add(ref first, 8), length - 16).SequenceEqual(_utf8.AsSpan(8, length - 16)));
        }
        if (length >= 4) return HalfWord(ref first) == _head && HalfWord(ref Unsafe.Add(ref first, length - 4)) == _tail;
        return MemoryMarshal.CreateReadOnlySpan(ref first, length).SequenceEqual(_utf8);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static ulong Word(ref byte at) => BitConverter.IsLittleEndian ? Unsafe.ReadUnaligned<ulong>(ref at) : BinaryPrimitives.ReverseEndianness(Unsafe.ReadUnaligned<ulong>(ref at));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static ulong HalfWord(ref byte at) => BitConverter.IsLittleEndian ? Unsafe.ReadUnaligned<uint>(ref at) : BinaryPrimitives.ReverseEndianness(Unsafe.ReadUnaligned<uint>(ref at));
}
