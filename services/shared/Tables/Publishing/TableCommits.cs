using LeanPipe.Lake;

namespace LeanPipe.Tables;

/// <summary>What every commit of ours has in common, whether it publishes or only tidies up.</summary>
static class TableCommits
{
    public const int WriterVersion = 2;

    public static readonly string Engine = $"LeanPipe/{typeof(TableCommits).Assembly.GetName().Version!.ToString(3)}";

    /// <summary>Milliseconds since the epoch, never before the version's before it: time travel by timestamp needs them in order, and clocks step back.</summary>
    public static long Timestamp(DeltaTable? current, DateTimeOffset now) => Math.Max(now.ToUnixTimeMilliseconds(), current?.CommittedAt.ToUnixTimeMilliseconds() ?? 0);

    /// <summary>By the very path that it was added by: there is more than one way to encode one, and not every reader decodes both before it compares them.</summary>
    public static DeltaAction Remove(DeltaFile file, long milliseconds, bool dataChange) =>
        new() { Remove = new(file.Source.Path, milliseconds, dataChange, true, new Dictionary<string, string?>(), file.Bytes) };

    public static DeltaAction Add(TableAdd file, long milliseconds, bool dataChange) => new()
    {
        Add = new(
            Encode(file.Path), new Dictionary<string, string?>(), file.Object.Bytes, milliseconds, dataChange, file.Stats,
            new SortedDictionary<string, string>(file.Tags.ToDictionary(), StringComparer.Ordinal) { [DeltaAdd.Sha256Tag] = file.Object.Sha256 }),
    };

    /// <exception cref="LakeException"><c>lake.unsupported_table</c></exception>
    public static void RequireWritable(DeltaTable current, bool removes)
    {
        var protocol = current.State.Protocol;
        var fault = protocol.MinWriterVersion > WriterVersion || protocol.WriterFeatures is { Count: > 0 }
            ? $"asks for writer version {protocol.MinWriterVersion}{(protocol.WriterFeatures is { Count: > 0 } f ? $" with the features {string.Join(", ", f)}" : "")}"
            : current.State.Schema.Constraint() is { } constraint ? constraint
            : removes && current.State.MetaData.Configuration?.GetValueOrDefault("delta.appendOnly") == "true" ? "is append-only (delta.appendOnly)"
            : null;
        if (fault is not null)
        {
            throw new LakeException(
                "lake.unsupported_table", $"Table '{current.Name}' cannot be written: {fault}; this version of LeanPipe writes version {WriterVersion}. Publish under another name.");
        }
    }

    static string Encode(string path) => string.Join('/', path.Split('/').Select(Uri.EscapeDataString)).Replace("%3D", "=", StringComparison.Ordinal);
}
