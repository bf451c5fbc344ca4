namespace LeanPipe.Contracts;

/// <summary>What a load came to.</summary>
/// <param name="Rows">That the step's SQL gave.</param>
/// <param name="Repeated">The same rows had been loaded before: nothing was done, and the numbers are those of that time.</param>
/// <param name="Added">Rows added to lookup tables, by table.</param>
public sealed record LoadResult(long Rows, long Inserted = 0, long Updated = 0, bool Repeated = false, IReadOnlyDictionary<string, long>? Added = null);

/// <summary>What the loads of a step's tasks came to. No load deletes rows.</summary>
/// <param name="Unchanged">Rows that changed nothing: equal ones are there, or the mode leaves them out.</param>
/// <param name="Repeated">So many tasks found their rows loaded by an earlier run and did nothing; theirs are among the unchanged rows. Null: none did.</param>
/// <param name="Added">Rows added to lookup tables, by table.</param>
public sealed record LoadFigures(long Inserted, long Updated, long Unchanged, int? Repeated = null, IReadOnlyDictionary<string, long>? Added = null)
{
    /// <summary>Null when nothing was loaded.</summary>
    public static LoadFigures? Of(IEnumerable<LoadResult?> tasks)
    {
        var loads = tasks.OfType<LoadResult>().ToList();
        if (loads.Count == 0) return null;
        var done = loads.Where(l => !l.Repeated).ToList();
        var (inserted, updated) = (done.Sum(l => l.Inserted), done.Sum(l => l.Updated));
        var added = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach (var (table, rows) in done.SelectMany(l => l.Added ?? new Dictionary<string, long>())) added[table] = added.GetValueOrDefault(table) + rows;
        return new(inserted, updated, loads.Sum(l => l.Rows) - inserted - updated, loads.Count - done.Count is > 0 and var repeated ? repeated : null, added.Count > 0 ? added : null);
    }
}
