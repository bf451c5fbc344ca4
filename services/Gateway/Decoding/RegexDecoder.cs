using System.Buffers;
using System.Text;
using System.Text.RegularExpressions;
using System.Text.Unicode;
using LeanPipe.Contracts;
using LeanPipe.Gateway.Validation;

namespace LeanPipe.Gateway.Decoding;

/// <summary>Text that a regular expression takes apart. Without backtracking: the time is linear in the frame, whatever a peer sends. A group that takes no part leaves its field out.</summary>
/// <remarks>The engine gives groups of a string only, so this decoder allocates for every frame.</remarks>
sealed class RegexDecoder : CellDecoder
{
    readonly Regex _pattern;
    readonly (int Group, CellWriter Cell)[] _groups;

    public RegexDecoder(RegexDecoderDefinition definition, RecordType schema) : base(definition, schema)
    {
        try
        {
            _pattern = new(definition.Pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            throw new LeanPipeException("gateway.bad_schema", $"The decoder's pattern is not usable: {e.Message} Expected a regular expression without lookaround and back-references.", inner: e);
        }
        _groups = [.. _pattern.GetGroupNames().Where(n => n != "0").Select(n => (_pattern.GroupNumberFromName(n), Cell(n)))];
    }

    protected override bool TryDecodeCells(ReadOnlySpan<byte> frame, DateTimeOffset now, ArrayBufferWriter<byte> target, Verdict verdict)
    {
        if (!Utf8.IsValid(frame)) return verdict.Fail(RejectCode.BadUtf8, 0);
        var text = Encoding.UTF8.GetString(frame);
        var match = _pattern.Match(text);
        if (!match.Success) return verdict.Fail(RejectCode.NoMatch, 0);
        foreach (var (number, cell) in _groups)
        {
            var group = match.Groups[number];
            if (!group.Success) continue;

            // The engine counts in UTF-16: a group may end within a character, and half of one is no text.
            if (IsWithinCharacter(text, group.Index) || IsWithinCharacter(text, group.Index + group.Length)) return Cut(cell, text, group.Index, verdict);
            var start = Encoding.UTF8.GetByteCount(text.AsSpan(0, group.Index));
            var length = Encoding.UTF8.GetByteCount(group.ValueSpan);
            if (!Write(cell, frame.Slice(start, length), isQuoted: false, start, target, verdict)) return false;
        }
        return true;
    }

    static bool IsWithinCharacter(string text, int index) => index > 0 && index < text.Length && char.IsSurrogatePair(text[index - 1], text[index]);

    static bool Cut(CellWriter cell, string text, int index, Verdict verdict)
    {
        verdict.Fail(RejectCode.NoMatch, Encoding.UTF8.GetByteCount(text.AsSpan(0, IsWithinCharacter(text, index) ? index - 1 : index)));
        return verdict.In(cell.Field);
    }
}
