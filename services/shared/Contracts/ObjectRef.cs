namespace LeanPipe.Contracts;

/// <summary>An immutable object of the lake, pinned by its contents.</summary>
/// <param name="Key">Relative to the lake's root, '/'-separated, without a leading slash.</param>
/// <param name="Sha256">64 lower-case hex digits.</param>
/// <param name="Rows">Records of a segment, rows of a chunk.</param>
public sealed record ObjectRef(string Key, long Bytes, long Rows, string Sha256);
