namespace LeanPipe.Contracts;

/// <summary>Where a step's rows go instead of into chunks: a table of a PostgreSQL database. See <c>docs/specs/load.md</c>.</summary>
public sealed record LoadDefinition
{
    /// <summary>The name of the connection; what it stands for comes from the task's environment, never from a document.</summary>
    public required string Connection { get; init; }

    /// <summary><c>table</c>, or <c>schema.table</c>.</summary>
    public required string Table { get; init; }

    /// <summary>The columns that tell a row from the others; empty only when rows are just added.</summary>
    public IReadOnlyList<string> Key { get; init => field = value ?? []; } = [];

    public required LoadMode Mode { get; init; }

    public IReadOnlyList<LoadLookup> Lookups { get; init => field = value ?? []; } = [];
}

public enum LoadMode
{
    /// <summary>Rows with new keys are added; others stay as they are.</summary>
    Insert,

    /// <summary>Rows of the table with the same key take the new values where these differ; nothing is added.</summary>
    Update,

    /// <summary>Both.</summary>
    Merge,
}

/// <summary>A foreign key that the rows do not have but can look up: by values that name a row of another table. What is not there is added to it.</summary>
/// <param name="Column">Of the target: the foreign key.</param>
/// <param name="Table">Where it points to.</param>
/// <param name="Match">What names a row there.</param>
/// <param name="Id">Its column that the foreign key takes its value from.</param>
public sealed record LoadLookup(string Column, string Table, IReadOnlyList<LookupMatch> Match, string Id);

/// <param name="Column">Of the lookup table.</param>
/// <param name="From">Of the step's SQL; it does not go to the target.</param>
public sealed record LookupMatch(string Column, string From);
