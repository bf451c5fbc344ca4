using System.Buffers;
using LeanPipe.Contracts;

namespace LeanPipe.Gateway.Replay;

/// <summary>What an object became by a version of the stream's document: lines by the window they belong to, and counts of what it does not take.</summary>
sealed class Remade
{
    public SortedDictionary<WindowId, (ArrayBufferWriter<byte> Bytes, int Rows)> Windows { get; } = [];

    /// <summary>Counts by reason.</summary>
    public SortedDictionary<string, long> Rejected { get; } = new(StringComparer.Ordinal);

    public long Rows => Windows.Values.Sum(w => (long)w.Rows);

    public long Frames => Rows + Rejected.Values.Sum();

    public void Add(WindowId window, ReadOnlySpan<byte> lines, int rows)
    {
        if (!Windows.TryGetValue(window, out var held)) held = (new(), 0);
        held.Bytes.Write(lines);
        Windows[window] = (held.Bytes, held.Rows + rows);
    }

    public void Reject(string code) => Rejected[code] = Rejected.GetValueOrDefault(code) + 1;
}
