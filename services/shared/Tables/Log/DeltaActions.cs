using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace LeanPipe.Tables;

/// <summary>One line of a commit: exactly one of the members is there. What this subset does not know reads as none of them.</summary>
/// <remarks>Source: Delta Transaction Log Protocol, "Actions". Names are the protocol's own.</remarks>
sealed record DeltaAction
{
    /// <summary>Free-form, so it is read as it comes.</summary>
    public JsonElement? CommitInfo { get; init; }
    public DeltaProtocol? Protocol { get; init; }
    public DeltaMetaData? MetaData { get; init; }
    public DeltaTxn? Txn { get; init; }
    public DeltaRemove? Remove { get; init; }
    public DeltaAdd? Add { get; init; }
}

sealed record DeltaProtocol(int MinReaderVersion, int MinWriterVersion)
{
    public IReadOnlyList<string>? ReaderFeatures { get; init; }
    public IReadOnlyList<string>? WriterFeatures { get; init; }
}

sealed record DeltaFormat(string Provider, IReadOnlyDictionary<string, string> Options);

sealed record DeltaMetaData(
    string Id, DeltaFormat Format, string SchemaString, IReadOnlyList<string> PartitionColumns, IReadOnlyDictionary<string, string> Configuration, long? CreatedTime)
{
    public string? Name { get; init; }
    public string? Description { get; init; }
}

/// <param name="LastUpdated">Milliseconds since the epoch.</param>
sealed record DeltaTxn(string AppId, long Version, long? LastUpdated);

/// <param name="Path">Relative to the table's folder, URI-encoded.</param>
/// <param name="DeletionTimestamp">Milliseconds since the epoch.</param>
sealed record DeltaRemove(
    string Path, long? DeletionTimestamp, bool DataChange, bool? ExtendedFileMetadata, IReadOnlyDictionary<string, string?>? PartitionValues, long? Size);

/// <param name="Path">Relative to the table's folder, URI-encoded.</param>
/// <param name="ModificationTime">Milliseconds since the epoch.</param>
/// <param name="Stats">JSON in a string, see <see cref="DeltaStats"/>.</param>
sealed record DeltaAdd(
    string Path, IReadOnlyDictionary<string, string?> PartitionValues, long Size, long ModificationTime, bool DataChange, string? Stats, IReadOnlyDictionary<string, string>? Tags)
{
    /// <summary>The tag that holds a file's SHA-256, so that the log alone pins its contents.</summary>
    public const string Sha256Tag = "leanpipe.sha256";

    /// <summary>The tag that holds the window that the file's rows were published for; absent when they are of several.</summary>
    public const string WindowTag = "leanpipe.window";

    /// <summary>The tag that holds <see cref="PublishOrigin.Rank"/>: of two rows with one key, the one of the higher rank stays.</summary>
    public const string RankTag = "leanpipe.rank";
}

/// <param name="Timestamp">Milliseconds since the epoch.</param>
/// <param name="OperationParameters">Text only: some readers know no other values.</param>
sealed record DeltaCommitInfo(
    long Timestamp, string Operation, IReadOnlyDictionary<string, string> OperationParameters, bool IsBlindAppend, string EngineInfo);

/// <summary>Delta's own names are camelCase.</summary>
[JsonSerializable(typeof(DeltaAction))]
[JsonSerializable(typeof(DeltaCommitInfo))]
[JsonSerializable(typeof(LastCheckpoint))]
sealed partial class DeltaJson : JsonSerializerContext
{
    /// <summary>Quotes within <c>stats</c> and <c>schemaString</c> stay readable; no browser ever sees a log.</summary>
    public static readonly JsonSerializerOptions Text = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static readonly DeltaJson Log = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
