using System.Text;
using System.Text.Json;

namespace LeanPipe.Gateway.Validation;

/// <summary>What the validator says about one frame, and the memory it works with. One per connection, reused for every frame.</summary>
sealed class Verdict
{
    readonly PathPart[] _path = new PathPart[RecordValidator.MaxDepth + 2];
    int _pathLength;
    byte[] _bytes = new byte[256];
    char[] _chars = new char[256];

    public RejectCode Code { get; private set; }

    /// <summary>Bytes from the beginning of the frame to the value (or name) that is refused.</summary>
    public int Offset { get; set; }

    /// <summary>UTC ticks of an accepted record's event time.</summary>
    public long EventTicks { get; set; }

    /// <summary>UTC ticks of the timestamp that was read last.</summary>
    public long LastTicks { get; set; }

    /// <summary>UTC ticks of the gateway's clock, cut to microseconds: the event time of a record that is stamped with it.</summary>
    public long NowTicks { get; set; }

    /// <summary>Whether an accepted record is not what the segment keeps: a field is missing that has a default or a stamp, goes by an alias, or is unknown and kept.</summary>
    public bool MustRewrite { get; set; }

    public void Reset()
    {
        Code = RejectCode.None;
        Offset = 0;
        _pathLength = 0;
    }

    /// <summary>The frame is a record as it stands.</summary>
    public void Accept(long eventTicks)
    {
        Reset();
        MustRewrite = false;
        EventTicks = eventTicks;
    }

    public bool Fail(RejectCode code, int offset)
    {
        Code = code;
        Offset = offset;
        _pathLength = 0;
        return false;
    }

    public bool Fail(RejectCode code, ref Utf8JsonReader reader) => Fail(code, (int)reader.TokenStartIndex);

    /// <summary>Says that what failed lies in this field; called from the inside out.</summary>
    public bool In(string field)
    {
        _path[_pathLength++] = new(field, 0, 0);
        return false;
    }

    /// <summary>Says that what failed is item <paramref name="index"/> of a list.</summary>
    public bool InItem(int index)
    {
        _path[_pathLength++] = new(null, index, 0);
        return false;
    }

    /// <summary>Says that what failed is a field whose name is only known from the frame.</summary>
    public bool InUnknown(int start, int length)
    {
        _path[_pathLength++] = new(null, start, length);
        return false;
    }

    /// <summary>The outermost field of the path; null when the frame as a whole is refused.</summary>
    public string? TopField => _pathLength == 0 ? null : _path[_pathLength - 1].Name;

    /// <summary>The path as <c>reading.values[3].unit</c>; empty when the frame as a whole is refused.</summary>
    /// <param name="frame">The frame this verdict is about.</param>
    public string Field(ReadOnlySpan<byte> frame)
    {
        var text = new StringBuilder();
        for (var i = _pathLength - 1; i >= 0; i--)
        {
            var part = _path[i];
            if (part is { Name: null, Length: 0 })
            {
                text.Append('[').Append(part.Start).Append(']');
                continue;
            }
            if (text.Length > 0) text.Append('.');
            text.Append(part.Name ?? Encoding.UTF8.GetString(frame.Slice(part.Start, part.Length)));
        }
        return text.ToString();
    }

    /// <summary>The string or name that the reader stands on, unescaped. Valid until the next call.</summary>
    /// <exception cref="InvalidOperationException">An escaped surrogate without its other half.</exception>
    public ReadOnlySpan<byte> Text(ref Utf8JsonReader reader)
    {
        if (!reader.ValueIsEscaped) return reader.ValueSpan;
        var buffer = Bytes(reader.ValueSpan.Length);
        return buffer[..reader.CopyString(buffer)];
    }

    public Span<byte> Bytes(int length)
    {
        if (_bytes.Length < length) _bytes = new byte[length * 2];
        return _bytes;
    }

    public Span<char> Chars(int length)
    {
        if (_chars.Length < length) _chars = new char[length * 2];
        return _chars;
    }

    /// <param name="Start">The index of an item, or where the name begins in the frame.</param>
    readonly record struct PathPart(string? Name, int Start, int Length);
}
