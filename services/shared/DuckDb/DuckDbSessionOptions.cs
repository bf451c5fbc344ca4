using LeanPipe.Contracts;

namespace LeanPipe.DuckDb;

/// <summary>What a session may touch and use. Everything else on the machine is out of its reach.</summary>
public sealed record DuckDbSessionOptions
{
    /// <summary>An existing folder of this session alone: SQL may read and write below it, and DuckDB spills into its subfolder <c>spill</c>.</summary>
    public required string ScratchDirectory { get; init; }

    /// <summary>Existing files, or folders with all that is below them, that SQL may read in place, such as a folder lake's objects.</summary>
    public IReadOnlyList<string> ReadablePaths { get; init; } = [];

    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>DuckDB's own memory; the process needs some more for itself. What does not fit is spilled, where the operator can.</summary>
    public long MemoryLimitBytes { get; init; } = 1L << 30;

    public long SpillLimitBytes { get; init; } = 16L << 30;

    /// <summary>False lets rows without an ORDER BY come in any order, which bounds the memory of large copies.</summary>
    public bool PreserveInsertionOrder { get; init; }

    internal void Validate()
    {
        var broken = new List<string>();
        if (!Directory.Exists(ScratchDirectory))
            broken.Add($"ScratchDirectory '{ScratchDirectory}' is not an existing folder; create it first.");
        broken.AddRange(from path in ReadablePaths
                        where !Path.Exists(path)
                        select $"ReadablePaths names '{path}', which does not exist.");
        if (Threads < 1)
            broken.Add($"Threads is {Threads}; expected at least 1.");
        if (MemoryLimitBytes < 16 << 20)
            broken.Add($"MemoryLimitBytes is {MemoryLimitBytes}; expected at least 16 MiB.");
        if (SpillLimitBytes < 0)
            broken.Add($"SpillLimitBytes is {SpillLimitBytes}; expected 0 (never spill) or more.");
        if (broken.Count > 0)
            throw new LeanPipeException("duckdb.options", "The DuckDB session cannot be opened. " + string.Join(' ', broken));
    }
}
