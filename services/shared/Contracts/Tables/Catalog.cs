namespace LeanPipe.Contracts;

/// <summary><c>catalog/tables.json</c>: what a person or a program can open, rewritten with each publish.</summary>
public sealed record Catalog
{
    public int Version { get; init => field = value == 0 ? 1 : value; } = 1;
    public required IReadOnlyList<CatalogTable> Tables { get; init; }
}

/// <param name="TableVersion">The Delta version that <paramref name="Files"/> belong to.</param>
/// <param name="Files">Every live file, relative to the lake's root.</param>
public sealed record CatalogTable(
    TableName Name, long TableVersion, long Rows, long Bytes, IReadOnlyList<OutputColumn> Columns, IReadOnlyList<ObjectRef> Files, DateTimeOffset UpdatedAt);
