using System.Collections.Concurrent;
using LeanPipe.Contracts;
using LeanPipe.Gateway.Decoding;
using LeanPipe.Gateway.Framing;
using LeanPipe.Gateway.Validation;

namespace LeanPipe.Gateway.Intake;

/// <summary>A stream's document, compiled. Immutable and shared by all connections: a changed document is another one.</summary>
sealed class StreamFormat
{
    const int MostKept = 32;

    readonly ConcurrentQueue<CellDecoder> _decoders = new();

    /// <exception cref="LeanPipeException"><c>gateway.bad_schema</c>, <c>gateway.bad_framing</c>: what the document's own rules do not see.</exception>
    public StreamFormat(StreamDefinition definition)
    {
        Definition = definition;
        Columns = SegmentColumns.Of(definition);
        Validator = new(definition.Schema, definition.EventTime, canonicalTimestamps: definition.Decoder is CellDecoderDefinition, definition.Stamps);
        Rewriter = RecordRewriter.Of(definition);
        Cutter = new(definition.Framing, definition.Limits.MaxFrameBytes);
        Return(RentDecoder());
        Lines = definition is { Framing: NewlineFramingDefinition, Decoder: not CellDecoderDefinition } ? Validator.Quick : null;
    }

    public StreamDefinition Definition { get; }

    public IReadOnlyList<SegmentColumn> Columns { get; }

    public FrameCutter Cutter { get; }

    public RecordValidator Validator { get; }

    /// <summary>What a frame may be that needs no framing before it is validated: a line of JSON, as the quick walk accepts it. Null when frames are not such lines.</summary>
    public QuickRecord? Lines { get; }

    /// <summary>Null when what is accepted is always what the segment keeps.</summary>
    public RecordRewriter? Rewriter { get; }

    /// <summary>One for each portion that is being taken; null when frames are records already. Thread-safe.</summary>
    public CellDecoder? RentDecoder() => _decoders.TryDequeue(out var decoder) ? decoder : CellDecoder.Of(Definition);

    public void Return(CellDecoder? decoder)
    {
        if (decoder is not null && _decoders.Count < MostKept) _decoders.Enqueue(decoder);
    }
}
