namespace LeanPipe.Gateway;

/// <summary>What a drained or adopted log has left.</summary>
/// <param name="Gateway">The id that the log belongs to.</param>
/// <param name="BytesLeft">Of the log, from the first line that is not in the lake; 0 when everything is.</param>
/// <param name="Sealed">Windows that were sealed by this drain.</param>
/// <param name="Open">Windows whose records are in the lake and that no manifest lists yet.</param>
/// <param name="Unpublished">Sealed revisions whose event the sidecar has not taken.</param>
public sealed record DrainReport(string Gateway, IReadOnlyList<string> Streams, long BytesLeft, int Sealed, int Open, int Unpublished);
