using LeanPipe.Contracts;

namespace LeanPipe.Tables;

/// <summary>The files that a commit adds and removes, decided against one version.</summary>
sealed record TableChange(IReadOnlyList<TableAdd> Adds, IReadOnlyList<DeltaFile> Removes);

/// <param name="Path">Relative to the table's folder, not encoded.</param>
/// <param name="Object">Its <see cref="ObjectRef.Key"/> says where the bytes come from.</param>
/// <param name="Tags">Besides the SHA-256, which every file carries.</param>
sealed record TableAdd(string Path, ObjectRef Object, string Stats, IReadOnlyDictionary<string, string> Tags);
