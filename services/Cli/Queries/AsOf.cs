using System.Globalization;
using LeanPipe.Contracts;
using LeanPipe.Lake;
using LeanPipe.Tables;

namespace LeanPipe.Cli.Queries;

/// <summary>A version of one table, or an instant at which every table is looked at.</summary>
sealed record AsOf(long? Version, DateTimeOffset Instant)
{
    /// <exception cref="UsageException">Neither a version nor a timestamp.</exception>
    public static AsOf Parse(string text)
    {
        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var version)) return new(version, default);
        if (DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var instant)) return new(null, instant);
        throw new UsageException($"--as-of is '{text}': expected a table's version such as 12, or a timestamp such as 2026-01-01T10:00:00Z (UTC when it names no zone).");
    }

    /// <summary>The tables as they were. One that did not exist yet is left out, as if it were not published.</summary>
    public async Task<List<CatalogTable>> ApplyAsync(IObjectStore store, IReadOnlyList<CatalogTable> tables, CancellationToken stop)
    {
        if (Version is not null && tables.Count > 1)
        {
            throw new UsageException(
                $"--as-of {Version} is a version, but the SQL mentions {string.Join(" and ", tables.Select(t => t.Name))}, which count their versions separately: give a timestamp.");
        }
        var then = new List<CatalogTable>();
        foreach (var table in tables)
        {
            var found = Version is { } version ? await DeltaTable.OpenAsync(store, table.Name, stop, version) : await DeltaTable.OpenAtAsync(store, table.Name, Instant, stop);
            if (found is not null) then.Add(table with { TableVersion = found.Version, Rows = found.Rows, Columns = found.Columns, Files = found.Objects, UpdatedAt = found.CommittedAt });
            else if (Version is not null) throw new UsageException($"Table '{table.Name}' has no version {Version}; the newest is {table.TableVersion}.");
        }
        return then;
    }
}
