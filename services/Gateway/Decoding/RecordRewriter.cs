using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Json;
using LeanPipe.Contracts;
using LeanPipe.Gateway.Validation;

namespace LeanPipe.Gateway.Decoding;

/// <summary>Writes an accepted record as its schema has it: fields by their own names, missing ones with their defaults, stamps, and unknown fields in the column that keeps them.</summary>
/// <remarks>Every value that stays keeps its bytes, save an LF of its white space. Only records that need it come here (<see cref="Verdict.MustRewrite"/>).</remarks>
sealed class RecordRewriter
{
    readonly RecordShape _root;
    readonly (byte[] Name, StampSource Source, TimestampUnit Unit, bool Nullable)[] _stamps;

    RecordRewriter(RecordShape root, StreamDefinition stream)
    {
        _root = root;
        _stamps = [.. stream.Stamps.Select(s =>
        {
            var field = stream.Schema.Fields.FirstOrDefault(f => f.Name == s.Key) ??
                throw new LeanPipeException("gateway.bad_schema", $"The stamp '{s.Key}' is no field of the schema. Add the field, or leave out the stamp.");
            return (RecordShape.Quoted(s.Key), s.Value, (field.Type as TimestampType)?.Unit ?? TimestampUnit.Text, field.Nullable);
        })];
    }

    /// <summary>Null when no record of the stream ever needs it.</summary>
    public static RecordRewriter? Of(StreamDefinition stream)
    {
        var root = RecordShape.Of(stream.Schema);
        return root is null && stream.Stamps.Count == 0 ? null : new(root ?? RecordShape.Plain, stream);
    }

    public void Write(ReadOnlySpan<byte> record, ConnectionStamps connection, Verdict verdict, ArrayBufferWriter<byte> target)
    {
        var reader = new Utf8JsonReader(record, RecordValidator.ReaderOptions);
        reader.Read();
        var start = target.WrittenCount;
        _root.Write(ref reader, record, verdict, target);
        if (_stamps.Length == 0) return;

        // The closing brace gives way to the stamps, each of which ends with a comma.
        Last(target) = target.WrittenCount - start == 2 ? (byte)' ' : (byte)',';
        foreach (var (name, source, unit, nullable) in _stamps) Stamp(name, source, unit, nullable, connection, verdict.NowTicks, target);
        if (Last(target) == ',') Last(target) = (byte)'}';
        else target.Write("}"u8);
    }

    static void Stamp(byte[] name, StampSource source, TimestampUnit unit, bool nullable, ConnectionStamps connection, long nowTicks, ArrayBufferWriter<byte> target)
    {
        if (source == StampSource.ClientName && connection.Client is null && !nullable) return;
        target.Write(name);
        if (source == StampSource.Peer) target.Write(connection.Peer);
        else if (source == StampSource.ClientName) target.Write(connection.Client ?? "null"u8);
        else
        {
            Span<byte> text = stackalloc byte[TimestampText.MaxWritten + 2];
            target.Write(text[..Time(nowTicks, unit, text)]);
        }
        target.Write(","u8);
    }

    static ref byte Last(ArrayBufferWriter<byte> target) => ref MemoryMarshal.AsMemory(target.WrittenMemory).Span[^1];

    static int Time(long utcTicks, TimestampUnit unit, Span<byte> text)
    {
        int written;
        if (unit == TimestampUnit.Text)
        {
            text[0] = (byte)'"';
            written = 1 + TimestampText.Write(utcTicks, text[1..]);
            text[written] = (byte)'"';
            return written + 1;
        }
        var micros = (utcTicks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;
        if (unit == TimestampUnit.Seconds) (micros / 1_000_000m).TryFormat(text, out written);
        else (unit switch { TimestampUnit.Milliseconds => micros / 1000, TimestampUnit.Microseconds => micros, _ => micros * 1000 }).TryFormat(text, out written);
        return written;
    }
}
