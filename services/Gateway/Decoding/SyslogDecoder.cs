using System.Buffers;
using System.Text.Unicode;
using LeanPipe.Contracts;
using LeanPipe.Gateway.Validation;

namespace LeanPipe.Gateway.Decoding;

/// <summary>A syslog message by its header: RFC 5424, or RFC 3164 as senders write it. Parts that the schema does not name are not kept; a NILVALUE leaves its part out.</summary>
/// <remarks>A time of RFC 3164 has no year: it is the one that brings it nearest to the gateway's clock.</remarks>
sealed class SyslogDecoder : CellDecoder
{
    readonly CellWriter?[] _parts;
    readonly SyslogFormat _format;
    readonly TimeSpan _zone;

    public SyslogDecoder(SyslogDecoderDefinition definition, RecordType schema) : base(definition, schema)
    {
        (_format, _zone) = (definition.Format, definition.Zone);
        _parts = [.. SyslogDecoderDefinition.Parts.Select(p => schema.Fields.Any(f => f.Name == p) && definition.Constants?.ContainsKey(p) != true ? Cell(p) : null)];
    }

    protected override bool TryDecodeCells(ReadOnlySpan<byte> frame, DateTimeOffset now, ArrayBufferWriter<byte> target, Verdict verdict)
    {
        if (!Utf8.IsValid(frame)) return verdict.Fail(RejectCode.BadUtf8, 0);
        if (!SyslogHeader.TryRead(frame, _format, now, _zone, out var header, out var fault)) return verdict.Fail(RejectCode.BadSyslog, fault);

        Span<byte> scratch = stackalloc byte[TimestampText.MaxWritten];
        for (var i = 0; i < _parts.Length; i++)
        {
            if (_parts[i] is not { } cell) continue;
            scoped ReadOnlySpan<byte> text;
            var start = 0;
            if (i < 2)
            {
                (i == 0 ? header.Priority / 8 : header.Priority % 8).TryFormat(scratch, out var digits);
                text = scratch[..digits];
            }
            else if (i == 2)
            {
                if (header.Ticks is not { } ticks) continue;
                start = header.Timestamp.Start.Value;
                text = scratch[..TimestampText.Write(ticks, scratch)];
            }
            else
            {
                var range = header.Part(i - 3);
                start = range.Start.Value;
                text = frame[range];
                if (text.IsEmpty || (text is [(byte)'-'] && i < _parts.Length - 1)) continue;
            }
            if (!Write(cell, text, isQuoted: true, start, target, verdict)) return false;
        }
        return true;
    }
}
