using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Text.Unicode;
using LeanPipe.Contracts;

namespace LeanPipe.Gateway.Validation;

/// <summary>One pass over the bytes of a record as senders usually write it. It says yes, or that it is not sure; it never refuses.</summary>
/// <remarks>
/// What it accepts the strict validator accepts, with the same event time: a differential test holds it to that. Unsure is everything out of the ordinary: escapes, exponents, more than 19
/// digits, unknown and repeated fields, white space other than a space behind a comma or colon, and every error.
/// </remarks>
static class QuickWalk
{
    const int Unsure = -1;

    /// <summary>10^0 to 10^22 are doubles without rounding.</summary>
    static readonly double[] ExactPowers = [.. Enumerable.Range(0, 23).Select(i => double.Parse($"1e{i}"))];

    /// <summary>Integers up to here are doubles without rounding, and so a quotient of one and an exact power is rounded once, as the strict parser rounds.</summary>
    const ulong LargestExact = 1UL << 53;

    struct Found
    {
        public long LastTicks;
        public long EventTicks;
        public bool HasOtherThanAscii;
    }

    public static bool Accepts(ReadOnlySpan<byte> frame, QuickRecord record, out long eventTicks)
    {
        var found = default(Found);
        var end = Record(ref MemoryMarshal.GetReference(frame), 0, frame.Length, record, ref found);
        eventTicks = found.EventTicks;
        return end == frame.Length && (!found.HasOtherThanAscii || Utf8.IsValid(frame));
    }

    /// <summary>Accepts a record where it stands among others, with LF right behind it. No record that is accepted holds an LF, so this is the very frame that framing would find.</summary>
    /// <returns>Where the LF stands; -1 when not sure, which is also said of a record whose end is not in the buffer.</returns>
    public static int LineEnd(ReadOnlySpan<byte> buffer, int at, QuickRecord record, out long eventTicks)
    {
        var found = default(Found);
        ref var text = ref MemoryMarshal.GetReference(buffer);
        var end = Record(ref text, at, buffer.Length, record, ref found);
        eventTicks = found.EventTicks;
        return end > 0 && end < buffer.Length && Unsafe.Add(ref text, end) == '\n' && (!found.HasOtherThanAscii || Utf8.IsValid(buffer[at..end])) ? end : Unsure;
    }

    static int Record(ref byte text, int at, int end, QuickRecord record, ref Found found)
    {
        var fields = record.Fields;
        var seen = 0UL;
        for (var index = 0; ; index++)
        {
            // Most senders keep the schema's order of fields, and many write no space.
            if (index < fields.Length && fields[index].Lead.IsAt(ref text, at, end)) at += fields[index].Lead.Length;
            else
            {
                if (at >= end || Unsafe.Add(ref text, at) != (seen == 0 ? '{' : ',')) return Unsure;
                at = SkipSpace(ref text, at + 1, end);
                if (index >= fields.Length || !fields[index].Name.IsAt(ref text, at, end))
                {
                    index = Find(ref text, at, end, fields);
                    if (index < 0) return Unsure;
                }
                at += fields[index].Name.Length;
            }
            var field = fields[index];
            if ((seen & (1UL << index)) != 0) return Unsure;
            seen |= 1UL << index;

            at = SkipSpace(ref text, at, end);
            at = field.Nullable && IsNull(ref text, at, end) ? at + 4 : Value(ref text, at, end, field.Value, ref found);
            if (at < 0) return Unsure;
            if (field.IsEventTime) found.EventTicks = found.LastTicks;

            at = SkipSpace(ref text, at, end);
            if (at < end && Unsafe.Add(ref text, at) == '}') return (seen & record.Required) == record.Required ? at + 1 : Unsure;
        }
    }

    static int Find(ref byte text, int at, int end, QuickField[] fields)
    {
        for (var i = 0; i < fields.Length; i++)
            if (fields[i].Name.IsAt(ref text, at, end)) return i;
        return -1;
    }

    /// <returns>Where the value ends.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static int Value(ref byte text, int at, int end, QuickValue type, ref Found found)
    {
        switch (type.Kind)
        {
            case QuickKind.Int64 or QuickKind.EpochCount:
                at = Integer(ref text, at, end, out var whole);
                if (at < 0) return Unsure;
                return (type.Kind == QuickKind.Int64 ? whole >= type.Min && whole <= type.Max : EpochTimestampCheck.TryTicks(whole, type.Unit, out found.LastTicks)) ? at : Unsure;
            case QuickKind.Float64 or QuickKind.Decimal or QuickKind.EpochSeconds:
                return Number(ref text, at, end, type, ref found);
            case QuickKind.String:
                return String(ref text, at, end, type, ref found);
            case QuickKind.Enum:
                foreach (var value in type.Values)
                    if (value.IsAt(ref text, at, end)) return at + value.Length;
                return Unsure;
            case QuickKind.Union:
                return Union(ref text, at, end, type, ref found);
            case QuickKind.TextTimestamp:
                return Timestamp(ref text, at, end, type, ref found);
            case QuickKind.Bool:
                return "true"u8.SequenceEqual(Rest(ref text, at, end, 4)) ? at + 4 : "false"u8.SequenceEqual(Rest(ref text, at, end, 5)) ? at + 5 : Unsure;
            case QuickKind.Record:
                return Record(ref text, at, end, type.Record!, ref found);
            default:
                return Unsure;
        }
    }

    static int Union(ref byte text, int at, int end, QuickValue type, ref Found found)
    {
        foreach (var member in type.Members)
            if (Value(ref text, at, end, member, ref found) is > 0 and var done) return done;
        return Unsure;
    }

    /// <summary>A whole number of at most 19 digits. What may follow it is the caller's to check.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static int Integer(ref byte text, int at, int end, out long value)
    {
        var isNegative = at < end && Unsafe.Add(ref text, at) == '-';
        if (isNegative) at++;
        var magnitude = 0UL;
        var to = QuickDigits.Read(ref text, at, end, ref magnitude);
        value = isNegative ? -(long)magnitude : (long)magnitude;
        return IsWholePart(ref text, at, to) && magnitude <= long.MaxValue ? to : Unsure;
    }

    /// <summary>A number without exponent, of at most 19 digits.</summary>
    static int Number(ref byte text, int at, int end, QuickValue type, ref Found found)
    {
        var isNegative = at < end && Unsafe.Add(ref text, at) == '-';
        if (isNegative) at++;
        var digits = 0UL;
        var point = QuickDigits.Read(ref text, at, end, ref digits);
        if (!IsWholePart(ref text, at, point)) return Unsure;
        var (to, scale) = (point, 0);
        if (point < end && Unsafe.Add(ref text, point) == '.')
        {
            to = QuickDigits.Read(ref text, point + 1, end, ref digits);
            scale = to - point - 1;
            if (scale == 0 || point - at + scale > QuickDigits.Most) return Unsure;
        }

        switch (type.Kind)
        {
            case QuickKind.Decimal:
                return point - at <= type.MaxLength && scale <= type.MinLength && point - at + scale <= DecimalCheck.DigitsOfDouble ? to : Unsure;
            case QuickKind.Float64 when !type.HasRange:
                return to;
        }
        if (digits > LargestExact) return Unsure;
        var value = digits / ExactPowers[scale];
        if (isNegative) value = -value;
        if (type.Kind == QuickKind.Float64) return value >= type.MinFloat && value <= type.MaxFloat ? to : Unsure;
        return EpochTimestampCheck.TryTicks(value, out found.LastTicks) ? to : Unsure;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static bool IsWholePart(ref byte text, int at, int to) =>
        to - at is > 0 and <= QuickDigits.Most && (to - at == 1 || Unsafe.Add(ref text, at) != '0');

    static int String(ref byte text, int at, int end, QuickValue type, ref Found found)
    {
        var to = StringEnd(ref text, at, end, out var hasOtherThanAscii);
        if (to < 0) return Unsure;
        found.HasOtherThanAscii |= hasOtherThanAscii;

        // Lengths are in code points: known when all is ASCII, and never more than bytes.
        var length = to - at - 2;
        return length <= type.MaxLength && (type.MinLength == 0 || (length >= type.MinLength && !hasOtherThanAscii)) ? to : Unsure;
    }

    static int Timestamp(ref byte text, int at, int end, QuickValue type, ref Found found)
    {
        var to = StringEnd(ref text, at, end, out var hasOtherThanAscii);
        if (to < 0 || hasOtherThanAscii) return Unsure;
        var inside = MemoryMarshal.CreateReadOnlySpan(ref Unsafe.Add(ref text, at + 1), to - at - 2);
        var isRead = type.Format is null ? TimestampText.TryParseRfc3339(inside, out found.LastTicks) : TimestampText.TryParseCustom(inside, type.Format, out found.LastTicks);
        return isRead ? to : Unsure;
    }

    /// <summary>Where a string without escapes and control characters ends, its closing quote included.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static int StringEnd(ref byte text, int at, int end, out bool hasOtherThanAscii)
    {
        hasOtherThanAscii = false;
        if (at >= end || Unsafe.Add(ref text, at) != '"') return Unsure;
        at++;
        for (; end - at >= Vector256<byte>.Count; at += Vector256<byte>.Count)
        {
            // As signed bytes, control characters and all that is no ASCII are below the space.
            var bytes = Vector256.LoadUnsafe(ref Unsafe.Add(ref text, at));
            var special = Vector256.LessThan(bytes.AsSByte(), Vector256.Create((sbyte)' ')).AsByte() | Vector256.Equals(bytes, Vector256.Create((byte)'"')) | Vector256.Equals(bytes, Vector256.Create((byte)'\\'));
            var mask = special.ExtractMostSignificantBits();
            if (mask == 0) continue;
            at += System.Numerics.BitOperations.TrailingZeroCount(mask);
            if (Unsafe.Add(ref text, at) == '"') return at + 1;
            break;
        }
        return StringRest(ref text, at, end, out hasOtherThanAscii);
    }

    /// <summary>Byte for byte: what is near the end of the buffer, or holds more than ASCII.</summary>
    static int StringRest(ref byte text, int at, int end, out bool hasOtherThanAscii)
    {
        hasOtherThanAscii = false;
        for (; at < end; at++)
        {
            var b = Unsafe.Add(ref text, at);
            if (b == '"') return at + 1;
            if (b is < (byte)' ' or (byte)'\\') return Unsure;
            hasOtherThanAscii |= b > 0x7F;
        }
        return Unsure;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static int SkipSpace(ref byte text, int at, int end) => at < end && Unsafe.Add(ref text, at) == ' ' ? at + 1 : at;

    static bool IsNull(ref byte text, int at, int end) => "null"u8.SequenceEqual(Rest(ref text, at, end, 4));

    static ReadOnlySpan<byte> Rest(ref byte text, int at, int end, int most) => MemoryMarshal.CreateReadOnlySpan(ref Unsafe.Add(ref text, at), Math.Min(most, end - at));
}
