namespace LeanPipe.DuckDb;

/// <param name="Type">DuckDB's type text, such as <c>DECIMAL(18,3)</c>, <c>TIMESTAMP WITH TIME ZONE</c> or <c>STRUCT(a INTEGER, b VARCHAR[])</c>.</param>
public sealed record DuckDbColumn(string Name, string Type, bool Nullable = true);
