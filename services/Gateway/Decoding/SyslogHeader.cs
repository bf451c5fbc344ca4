using System.Runtime.InteropServices;
using LeanPipe.Contracts;
using LeanPipe.Gateway.Validation;

namespace LeanPipe.Gateway.Decoding;

/// <summary>Where the parts of a syslog message stand. Pure.</summary>
/// <param name="Priority">0 to 191: facility times 8 plus severity.</param>
/// <param name="Ticks">UTC; null when the message has no time.</param>
[StructLayout(LayoutKind.Auto)]
readonly record struct SyslogHeader(int Priority, long? Ticks, Range Timestamp, Range Hostname, Range AppName, Range ProcId, Range MsgId, Range StructuredData, Range Message)
{
    const int HighestPriority = 191;

    /// <summary>The texts in the order of <see cref="SyslogDecoderDefinition.Parts"/>, from the hostname on.</summary>
    public Range Part(int index) => index switch { 0 => Hostname, 1 => AppName, 2 => ProcId, 3 => MsgId, 4 => StructuredData, _ => Message };

    /// <param name="fault">Where it stops being a syslog message.</param>
    public static bool TryRead(ReadOnlySpan<byte> frame, SyslogFormat format, DateTimeOffset now, TimeSpan zone, out SyslogHeader header, out int fault)
    {
        header = default;
        fault = 0;
        var end = frame[..Math.Min(frame.Length, 5)].IndexOf((byte)'>');
        if (end < 2 || frame[0] != '<' || !TryNumber(frame[1..end], out var priority) || priority > HighestPriority || (end > 2 && frame[1] == '0')) return false;
        var at = end + 1;
        var isVersioned = frame[at..].StartsWith("1 "u8);
        if (isVersioned && format != SyslogFormat.Rfc3164) return TryRead5424(frame, priority, at + 2, out header, out fault);
        fault = at;
        return format != SyslogFormat.Rfc5424 && TryRead3164(frame, priority, at, now, zone, out header, out fault);
    }

    static bool TryRead5424(ReadOnlySpan<byte> frame, int priority, int at, out SyslogHeader header, out int fault)
    {
        header = default;
        Span<Range> words = stackalloc Range[5];
        for (var i = 0; i < words.Length; i++)
        {
            fault = at;
            var length = frame[at..].IndexOf((byte)' ');
            if (length < 1) return false;
            words[i] = at..(at + length);
            at += length + 1;
        }
        fault = words[0].Start.Value;
        long? ticks = null;
        if (frame[words[0]] is not [(byte)'-'])
        {
            if (!TimestampText.TryParseRfc3339(frame[words[0]], out var read)) return false;
            ticks = read;
        }
        fault = at;
        var data = StructuredDataEnd(frame, at);
        if (data < 0) return false;
        fault = data;
        if (data < frame.Length && frame[data] != ' ') return false;
        var message = Math.Min(data + 1, frame.Length);
        if (frame[message..].StartsWith("\uFEFF"u8)) message += 3;
        header = new(priority, ticks, words[0], words[1], words[2], words[3], words[4], at..data, message..frame.Length);
        return true;
    }

    /// <summary>Behind <c>-</c>, or behind one or more <c>[id name="value" …]</c>; -1 when there is neither.</summary>
    static int StructuredDataEnd(ReadOnlySpan<byte> frame, int at)
    {
        if (at < frame.Length && frame[at] == '-') return at + 1;
        var start = at;
        while (at < frame.Length && frame[at] == '[')
        {
            var isQuoted = false;
            for (at++; at < frame.Length && (isQuoted || frame[at] != ']'); at++)
            {
                if (frame[at] == '"') isQuoted = !isQuoted;
                else if (isQuoted && frame[at] == '\\') at++;
            }
            if (at >= frame.Length) return -1;
            at++;
        }
        return at > start ? at : -1;
    }

    static bool TryRead3164(ReadOnlySpan<byte> frame, int priority, int at, DateTimeOffset now, TimeSpan zone, out SyslogHeader header, out int fault)
    {
        header = default;
        fault = at;
        if (!BsdTime.TryRead(frame[at..], now, zone, out var ticks, out var length)) return false;
        var time = at..(at + length);
        at += length;
        fault = at;
        if (at == frame.Length || frame[at] != ' ') return false;
        at++;
        var host = frame[at..].IndexOf((byte)' ');
        if (host < 1) return false;
        var hostname = at..(at + host);
        at += host + 1;

        // TAG, then optionally a process id in brackets, then a colon. What has no tag is a message alone.
        var tag = frame[at..].IndexOfAny((byte)'[', (byte)':', (byte)' ');
        Range app = at..at, process = at..at;
        if (tag > 0 && frame[at + tag] != ' ')
        {
            var next = at + tag;
            if (frame[next] == '[' && frame[next..].IndexOf((byte)']') is > 0 and var close)
            {
                process = (next + 1)..(next + close);
                next += close + 1;
            }
            if (next < frame.Length && frame[next] == ':')
            {
                app = at..(at + tag);
                at = next + 1;
                if (at < frame.Length && frame[at] == ' ') at++;
            }
            else process = at..at;
        }
        header = new(priority, ticks, time, hostname, app, process, at..at, at..at, at..frame.Length);
        return true;
    }

    static bool TryNumber(ReadOnlySpan<byte> digits, out int value)
    {
        value = 0;
        foreach (var digit in digits)
        {
            if (digit is < (byte)'0' or > (byte)'9') return false;
            value = value * 10 + (digit - '0');
        }
        return true;
    }
}
