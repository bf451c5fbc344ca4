namespace LeanPipe.Contracts;

/// <summary>What a load came to.</summary>
/// <param name="Rows">That the step's SQL gave.</param>
/// <param name="Repeated">The same rows had been loaded before: nothing was done, and the numbers are those of that time.</param>
/// <param name="Added">Rows added to lookup tables, by table.</param>
public sealed record LoadResult(long Rows, long Inserted = 0, long Updated = 0, bool Repeated = false, IReadOnlyDictionary<string, long>? Added = null);
