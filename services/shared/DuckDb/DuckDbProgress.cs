namespace LeanPipe.DuckDb;

/// <summary>A look at a session from outside, while a query runs or not.</summary>
/// <param name="Percentage">0 to 100 of the running query; null when DuckDB does not know.</param>
/// <param name="PeakMemoryBytes">The largest memory seen by any look so far, and after each call of the session: a lower bound of the true peak.</param>
public sealed record DuckDbProgress(double? Percentage, long RowsProcessed, long RowsToProcess, long MemoryBytes, long SpilledBytes, long PeakMemoryBytes, long PeakSpilledBytes);
