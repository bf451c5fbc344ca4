using System.Text.Json;
using System.Text.Unicode;
using LeanPipe.Contracts;

namespace LeanPipe.Gateway.Validation;

/// <summary>A stream's schema, compiled once, that walks the UTF-8 bytes of a record without building a document and, for what it accepts, without allocating.</summary>
/// <remarks>
/// As strict as a strict Pydantic model: <c>"5"</c>, <c>5.0</c> and <c>true</c> are no integers, 1 is no bool, an integer is a float. What it accepts DuckDB can read;
/// one record that it could not parse would cost the whole window. Thread-safe; the verdict belongs to one connection.
/// </remarks>
sealed class RecordValidator
{
    /// <summary>Objects and lists within one another, the record itself included.</summary>
    public const int MaxDepth = 64;

    public static readonly JsonReaderOptions ReaderOptions = new() { MaxDepth = MaxDepth };

    readonly RecordCheck _root;


    /// <param name="stamps">Fields that the gateway fills.</param>
    public RecordValidator(RecordType schema, string eventTime, bool canonicalTimestamps, IReadOnlyDictionary<string, StampSource>? stamps = null)
    {
        if (schema.Fields.FirstOrDefault(f => f.Name == eventTime) is not { Type: TimestampType, Required: true, Nullable: false })
            throw new LeanPipeException(
                "gateway.bad_schema", $"The event time '{eventTime}' does not place every record in a window: expected a required, not nullable timestamp field of the record itself.");
        _root = new(schema, canonicalTimestamps, new(eventTime, stamps ?? new Dictionary<string, StampSource>()));

        // A stamped record is never what its frame is, so there the quick walk has nothing to accept.
        Quick = stamps is { Count: > 0 } ? null : QuickRecord.Of(schema, eventTime, canonicalTimestamps);
    }

    /// <summary>What <see cref="QuickWalk"/> accepts, the validator does; null when the schema has nothing that the walk could accept.</summary>
    public QuickRecord? Quick { get; }

    /// <summary>True when the frame is a record; the verdict then has its event time, otherwise the reason.</summary>
    public bool Accepts(ReadOnlySpan<byte> frame, Verdict verdict)
    {
        if (Quick is null || !QuickWalk.Accepts(frame, Quick, out var ticks)) return AcceptsStrictly(frame, verdict);
        verdict.Accept(ticks);
        return true;
    }

    /// <summary>The same answer without the quick walk before it.</summary>
    internal bool AcceptsStrictly(ReadOnlySpan<byte> frame, Verdict verdict)
    {
        verdict.Reset();
        verdict.MustRewrite = false;
        if (!Utf8.IsValid(frame)) return verdict.Fail(RejectCode.BadUtf8, FirstInvalid(frame));
        var reader = new Utf8JsonReader(frame, ReaderOptions);
        try
        {
            reader.Read();
            if (!_root.Accepts(ref reader, verdict)) return false;

            // Throws when anything but white space follows the record.
            reader.Read();
            return true;
        }
        catch (JsonException e)
        {
            // The token that opens a level does not count itself.
            var depth = reader.CurrentDepth + (reader.TokenType is JsonTokenType.StartArray or JsonTokenType.StartObject ? 1 : 0);
            var isDeep = depth >= MaxDepth;
            return verdict.Fail(isDeep ? RejectCode.TooDeep : RejectCode.BadJson, (int)(e.BytePositionInLine ?? reader.BytesConsumed));
        }
        catch (InvalidOperationException)
        {
            // The reader's way to say that an escaped surrogate has no other half.
            return verdict.Fail(RejectCode.BadUtf8, (int)reader.TokenStartIndex);
        }
    }

    static int FirstInvalid(ReadOnlySpan<byte> frame)
    {
        var offset = 0;
        while (offset < frame.Length && System.Text.Rune.DecodeFromUtf8(frame[offset..], out _, out var consumed) == System.Buffers.OperationStatus.Done)
            offset += consumed;
        return offset;
    }
}
