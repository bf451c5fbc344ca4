using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
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

    /// <summary>Milli-, micro- or nanoseconds, which are whole.</summary>
    EpochCount,
    EpochSeconds,
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
            .Select((f, i) => new QuickField(new($"{(i == 0 ? '{' : ',')}\"{f.Name}\":"), new($"\"{f.Name}\":"), QuickValue.Of(f.Type, canonicalTimestamps, depth), f.Nullable, f.Name == eventTime))
            .ToArray();
        var required = 0UL;
        for (var i = 0; i < fields.Length; i++)
            if (type.Fields[i].Required || type.Fields[i].Default is not null) required |= 1UL << i;
        return new() { Fields = fields, Required = required };
    }
}

/// <param name="Lead">The name in the schema's order without a space: behind the brace when it is the first field's, else behind a comma.</param>
/// <param name="Name">Quoted, with the colon.</param>
sealed record QuickField(QuickText Lead, QuickText Name, QuickValue Value, bool Nullable, bool IsEventTime);

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
        TimestampType t => new() { Kind = t.Unit == TimestampUnit.Seconds ? QuickKind.EpochSeconds : QuickKind.EpochCount, Unit = t.Unit },
        RecordType t when QuickRecord.Of(t, eventTime: null, canonicalTimestamps, depth + 1) is { } record => new() { Kind = QuickKind.Record, Record = record },
        UnionType t => new() { Kind = QuickKind.Union, Members = [.. t.Members.Select(m => Of(m, canonicalTimestamps, depth))] },
        _ => Unsure,
    };
}

/// <summary>Bytes to compare with, up to sixteen of them at once.</summary>
sealed class QuickText
{
    readonly byte[] _utf8;
    readonly Vector128<byte> _head;

    /// <summary>All ones where the head has bytes of the text.</summary>
    readonly Vector128<byte> _mask;

    public QuickText(string text)
    {
        _utf8 = Encoding.UTF8.GetBytes(text);
        Length = _utf8.Length;
        Span<byte> bytes = stackalloc byte[Vector128<byte>.Count];
        _utf8.AsSpan(0, Math.Min(Length, bytes.Length)).CopyTo(bytes);
        _head = Vector128.Create<byte>(bytes);
        bytes[..Math.Min(Length, bytes.Length)].Fill(byte.MaxValue);
        _mask = Vector128.Create<byte>(bytes);
    }

    public int Length { get; }

    /// <summary>Whether a JSON string may hold the text as it is.</summary>
    public static bool IsPlain(string text) => !text.Any(c => c is < ' ' or '"' or '\\');

    /// <summary>Whether the bytes at a place are these, reading none at or behind the end.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool IsAt(ref byte text, int at, int end)
    {
        if (end - at < Vector128<byte>.Count || Length > Vector128<byte>.Count) return IsAtWhole(ref text, at, end);
        return (Vector128.LoadUnsafe(ref Unsafe.Add(ref text, at)) & _mask) == _head;
    }

    bool IsAtWhole(ref byte text, int at, int end) =>
        end - at >= Length && MemoryMarshal.CreateReadOnlySpan(ref Unsafe.Add(ref text, at), Length).SequenceEqual(_utf8);
}
