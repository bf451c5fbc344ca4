using System.Buffers;
using LeanPipe.Contracts;
using LeanPipe.Gateway.Validation;

namespace LeanPipe.Gateway.Decoding;

/// <summary>The whole frame as one field of bytes.</summary>
sealed class RawDecoder : CellDecoder
{
    readonly CellWriter _field;

    public RawDecoder(RawDecoderDefinition definition, RecordType schema) : base(definition, schema) => _field = Cell(definition.Field);

    protected override bool TryDecodeCells(ReadOnlySpan<byte> frame, DateTimeOffset now, ArrayBufferWriter<byte> target, Verdict verdict) => WriteBase64(_field, frame, 0, target);
}
