using LeanPipe.Contracts;
using LeanPipe.Documents.Reading;

namespace LeanPipe.Documents;

/// <summary>How a step's rows are written.</summary>
static class OutputReader
{
    static readonly Dictionary<string, ChunkCompression> Compressions = new()
    {
        ["zstd"] = ChunkCompression.Zstd,
        ["snappy"] = ChunkCompression.Snappy,
        ["gzip"] = ChunkCompression.Gzip,
        ["lz4"] = ChunkCompression.Lz4,
        ["none"] = ChunkCompression.None,
    };

    public static OutputDefinition Read(MapReader step, ErrorList errors)
    {
        var output = new OutputDefinition();
        if (step.Map("output", "output") is not { } map) return output;
        var hash = map.Map("hash_by", "hash_by");
        var columns = hash?.Texts("columns") ?? [];
        var buckets = hash?.Integer("buckets", 1, 4096);
        hash?.Finish();
        if (hash is not null && (columns.Count == 0 || !hash.Has("buckets"))) errors.Add(hash.At, "'hash_by' needs 'columns' and 'buckets'.");
        output = new()
        {
            ChunkBytes = map.Size("chunk", 64 * 1024, 16L << 30) ?? output.ChunkBytes,
            OrderBy = Names(map, "order_by"),
            PartitionBy = Names(map, "partition_by"),
            RowGroupRows = (int?)map.Integer("row_group", 2048, 10_000_000),
            Compression = map.Choice("compression", Compressions),
            HashBy = columns.Count > 0 ? new(columns[0].Text, (int)(buckets ?? 1), columns.Count > 1 ? [.. columns.Skip(1).Select(c => c.Text)] : null) : null,
        };
        map.Finish();
        return output;
    }

    static IReadOnlyList<string> Names(MapReader map, string key) => [.. (map.Texts(key) ?? []).Select(t => t.Text)];
}
