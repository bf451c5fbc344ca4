using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Gateway.Replay;

/// <summary>One segment of rejects, replayed: what passes becomes segments of records, and a <see cref="ReplayRecord"/> declares them.</summary>
/// <remarks>
/// The order is the guarantee: segments, whose names follow from their contents; then the record, by put-if-absent under the segment's next number. Until then nothing names what was written, and a repetition writes the
/// same again or something else under another name. A line that a record has is never replayed again, so whoever loses the race for a number reads what the winner made and judges what is left. Memory is needed for the segment.
/// </remarks>
sealed class RejectedSegment(IObjectStore store, FrameReplay replay, StreamDefinition stream, ReplayOptions options, ReplayReport report, TimeProvider time)
{
    const string BadLength = "bad_length";
    const string BadHeader = "bad_header";

    /// <summary>Rows of each window that passed and are not in the lake, for a dry run writes none.</summary>
    public SortedDictionary<WindowId, long> Unwritten { get; } = [];

    public async Task ReplayAsync(string key, CancellationToken stop)
    {
        if (await store.GetAsync(key, stop) is not { } content) return;
        report.Segments++;
        var name = Path.GetFileNameWithoutExtension(key[(key.LastIndexOf('/') + 1)..]);
        while (true)
        {
            var (done, number) = await DoneAsync(name, stop);
            var judged = Judge(key, content.Span, done);
            if (options.DryRun || judged.Lines.Count == 0 || await WriteAsync(key, name, number + 1, judged, stop))
            {
                Count(judged);
                return;
            }
        }
    }

    async Task<(HashSet<int> Lines, int Newest)> DoneAsync(string name, CancellationToken stop)
    {
        var (lines, newest) = (new HashSet<int>(), 0);
        await foreach (var item in store.ListAsync(LakeLayout.ReplaysOf(stream.Name, name), stop))
        {
            newest++;
            if (await store.GetJsonAsync(item.Key, ContractsJson.Default.ReplayRecord, stop) is { } record) lines.UnionWith(record.Lines);
        }
        return (lines, newest);
    }

    Judged Judge(string key, ReadOnlySpan<byte> content, HashSet<int> done)
    {
        var judged = new Judged();
        for (var number = 0; !content.IsEmpty; number++)
        {
            var end = content.IndexOf((byte)'\n');
            var text = end < 0 ? content : content[..end];
            content = end < 0 ? default : content[(end + 1)..];
            judged.Frames++;
            if (done.Contains(number)) judged.Before++;
            else JudgeLine(Read(key, number, text), number, judged);
        }
        return judged;
    }

    void JudgeLine(RejectedFrame frame, int number, Judged judged)
    {
        if (frame.IsKept)
        {
            // The frame itself is there: a replay of the window takes it, and it must not become a record twice.
            judged.Kept++;
            return;
        }
        if (frame.Code is BadLength or BadHeader)
        {
            judged.Unplaced++;
            return;
        }
        if (frame.IsTruncated)
        {
            judged.Truncated++;
            return;
        }
        if (replay.Judge(frame, out var window, out var line) is { } code)
        {
            judged.Rejected[code] = judged.Rejected.GetValueOrDefault(code) + 1;
            return;
        }
        if (options.Windows?.Contains(window) == false)
        {
            judged.Elsewhere++;
            return;
        }
        judged.Lines.Add(number);
        judged.Codes[frame.Code] = judged.Codes.GetValueOrDefault(frame.Code) + 1;
        if (!judged.Windows.TryGetValue(window, out var rows)) judged.Windows.Add(window, rows = (new(), 0));
        rows.Bytes.Write(line);
        judged.Windows[window] = (rows.Bytes, rows.Rows + 1);
    }

    async Task<bool> WriteAsync(string key, string name, int number, Judged judged, CancellationToken stop)
    {
        var segments = new List<ReplayedSegment>();
        foreach (var (window, (bytes, rows)) in judged.Windows)
        {
            var sha256 = Convert.ToHexStringLower(SHA256.HashData(bytes.WrittenSpan));
            var segment = new ObjectRef(LakeLayout.Segment(stream.Name, window, $"{name}-replay-{sha256[..16]}"), bytes.WrittenCount, rows, sha256);
            await store.PutAsync(segment.Key, bytes.WrittenMemory, stop);
            segments.Add(new(window, segment));
        }
        var record = new ReplayRecord
        {
            Stream = stream.Name,
            Source = key,
            Schema = stream.SchemaId,
            Columns = replay.Columns,
            At = time.GetUtcNow(),
            Lines = judged.Lines,
            Codes = judged.Codes,
            Segments = segments,
        };
        var target = LakeLayout.Replay(stream.Name, name, number);
        return await store.PutIfAbsentAsync(target, JsonSerializer.SerializeToUtf8Bytes(record, ContractsJson.Default.ReplayRecord), stop);
    }

    void Count(Judged judged)
    {
        report.Frames += judged.Frames;
        report.Before += judged.Before;
        report.Passed += judged.Lines.Count;
        report.Elsewhere += judged.Elsewhere;
        report.Truncated += judged.Truncated;
        report.Unplaced += judged.Unplaced;
        report.Kept += judged.Kept;
        foreach (var (code, count) in judged.Rejected) report.Rejected[code] = report.Rejected.GetValueOrDefault(code) + count;
        if (!options.DryRun) return;
        foreach (var (window, rows) in judged.Windows) Unwritten[window] = Unwritten.GetValueOrDefault(window) + rows.Rows;
    }

    static RejectedFrame Read(string key, int number, ReadOnlySpan<byte> line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, ReplayJson.Default.RejectedFrame)!;
        }
        catch (JsonException e)
        {
            throw new LeanPipeException("gateway.rejects_broken", $"Line {number + 1} of '{key}' is no reject: {e.Message} Something else wrote or damaged it; restore the object.", isTransient: false, e);
        }
    }

    sealed class Judged
    {
        public List<int> Lines { get; } = [];

        public SortedDictionary<string, long> Codes { get; } = new(StringComparer.Ordinal);

        public SortedDictionary<string, long> Rejected { get; } = new(StringComparer.Ordinal);

        public SortedDictionary<WindowId, (ArrayBufferWriter<byte> Bytes, int Rows)> Windows { get; } = [];

        public long Frames { get; set; }

        public long Before { get; set; }

        public long Elsewhere { get; set; }

        public long Truncated { get; set; }

        public long Unplaced { get; set; }

        public long Kept { get; set; }
    }
}
