using LeanPipe.Contracts;

namespace LeanPipe.StepRunner.Load;

/// <param name="Name">In the step's SQL and in the staging table.</param>
internal sealed record LoadColumn(string Name, PostgresType Type);

/// <summary>A column of the target.</summary>
/// <param name="Source">The expression over the staging table <c>s</c> and the lookup tables <c>l0</c>, <c>l1</c>, ….</param>
/// <param name="Type">As the target has it.</param>
internal sealed record TargetColumn(string Name, string Source, string Type);

/// <summary>The statements of a load: functions of its definition and of what the tables look like. Names are quoted everywhere; values never become SQL.</summary>
internal static class LoadSql
{
    public const string Staging = "leanpipe_staging";
    public const string Rows = "leanpipe_rows";
    public const string Ledger = "leanpipe_loads";

    public const string CreateLedger = $"""
        CREATE TABLE IF NOT EXISTS {Ledger} (
            load bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            target text NOT NULL, pipeline text NOT NULL, step text NOT NULL, window_id text NOT NULL, task text NOT NULL,
            run text NOT NULL, content text NOT NULL, rows bigint NOT NULL, inserted bigint NOT NULL, updated bigint NOT NULL,
            loaded_at timestamp with time zone NOT NULL DEFAULT now());
        CREATE INDEX IF NOT EXISTS {Ledger}_by_task ON {Ledger} (target, pipeline, step, window_id, task)
        """;

    public static string Name(string name) => "\"" + name.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"";

    /// <summary>Of a table with or without its schema.</summary>
    public static string Table(string table) => string.Join('.', table.Split('.').Select(Name));

    public static string CreateStaging(IReadOnlyList<LoadColumn> columns) =>
        $"CREATE TEMP TABLE {Staging} ({string.Join(", ", columns.Select(c => $"{Name(c.Name)} {c.Type.Sql}"))}) ON COMMIT DROP";

    public static string CopyStaging(IReadOnlyList<LoadColumn> columns) => $"COPY {Staging} ({Names(columns.Select(c => c.Name))}) FROM STDIN (FORMAT BINARY)";

    public static string CreateLookup(LoadLookup lookup, IReadOnlyList<LoadColumn> columns)
    {
        var match = lookup.Match.Select(m => $"{Name(m.Column)} {columns.Single(c => c.Name == m.From).Type.Sql} NOT NULL");
        return $"CREATE TABLE IF NOT EXISTS {Table(lookup.Table)} ({Name(lookup.Id)} uuid PRIMARY KEY DEFAULT gen_random_uuid(), {string.Join(", ", match)}, UNIQUE ({Names(lookup.Match.Select(m => m.Column))}))";
    }

    public static string AddUnique(LoadLookup lookup) => $"ALTER TABLE {Table(lookup.Table)} ADD UNIQUE ({Names(lookup.Match.Select(m => m.Column))})";

    /// <summary>Adds what is not there. Two loads at once, or another writer, cannot add the same twice: the columns are unique. In order, so that two which add the same do not wait for each other.</summary>
    public static string AddToLookup(LoadLookup lookup, IReadOnlyDictionary<string, string> types)
    {
        var values = lookup.Match.Select(m => $"CAST(s.{Name(m.From)} AS {types[m.Column]})").ToList();
        var known = string.Join(" AND ", lookup.Match.Zip(values, (m, value) => $"l.{Name(m.Column)} = {value}"));
        return $"INSERT INTO {Table(lookup.Table)} ({Names(lookup.Match.Select(m => m.Column))}) SELECT DISTINCT {string.Join(", ", values)} FROM {Staging} s "
            + $"WHERE {string.Join(" AND ", lookup.Match.Select(m => $"s.{Name(m.From)} IS NOT NULL"))} AND NOT EXISTS (SELECT 1 FROM {Table(lookup.Table)} l WHERE {known}) ORDER BY {string.Join(", ", Enumerable.Range(1, values.Count))} ON CONFLICT DO NOTHING";
    }

    public static string CreateTarget(LoadDefinition load, IReadOnlyList<TargetColumn> columns)
    {
        var lines = columns.Select(c => $"{Name(c.Name)} {c.Type}").ToList();
        if (load.Key.Count > 0)
            lines.Add($"PRIMARY KEY ({Names(load.Key)})");
        lines.AddRange(load.Lookups.Select(l => $"FOREIGN KEY ({Name(l.Column)}) REFERENCES {Table(l.Table)} ({Name(l.Id)})"));
        return $"CREATE TABLE IF NOT EXISTS {Table(load.Table)} ({string.Join(", ", lines)})";
    }

    public static string AddColumn(LoadDefinition load, TargetColumn column) => $"ALTER TABLE {Table(load.Table)} ADD COLUMN {Name(column.Name)} {column.Type}";

    /// <summary>The rows as the target has them, foreign keys looked up.</summary>
    public static string CreateRows(LoadDefinition load, IReadOnlyList<TargetColumn> columns, IReadOnlyList<IReadOnlyDictionary<string, string>> lookupTypes)
    {
        var joins = load.Lookups.Select((lookup, i) =>
            $" LEFT JOIN {Table(lookup.Table)} l{i} ON {string.Join(" AND ", lookup.Match.Select(m => $"l{i}.{Name(m.Column)} = CAST(s.{Name(m.From)} AS {lookupTypes[i][m.Column]})"))}");
        return $"CREATE TEMP TABLE {Rows} ON COMMIT DROP AS SELECT {string.Join(", ", columns.Select(c => $"CAST({c.Source} AS {c.Type}) AS {Name(c.Name)}"))} FROM {Staging} s{string.Concat(joins)}";
    }

    public static string CountNullKeys(LoadDefinition load) => $"SELECT count(*) FROM {Rows} WHERE {string.Join(" OR ", load.Key.Select(k => $"{Name(k)} IS NULL"))}";

    public static string CountTwins(LoadDefinition load) => $"SELECT count(*) FROM (SELECT 1 FROM {Rows} GROUP BY {Names(load.Key)} HAVING count(*) > 1) AS twins";

    /// <summary>Null when there is nothing but keys to update.</summary>
    public static string? Update(LoadDefinition load, IReadOnlyList<TargetColumn> columns)
    {
        var values = columns.Where(c => !load.Key.Contains(c.Name)).ToList();
        return values.Count == 0 ? null
            : $"UPDATE {Table(load.Table)} t SET {string.Join(", ", values.Select(c => $"{Name(c.Name)} = r.{Name(c.Name)}"))} FROM {Rows} r WHERE {SameKey(load)} "
                + $"AND ({string.Join(", ", values.Select(c => Comparable("t", c)))}) IS DISTINCT FROM ({string.Join(", ", values.Select(c => Comparable("r", c)))})";
    }

    public static string Insert(LoadDefinition load, IReadOnlyList<TargetColumn> columns)
    {
        var insert = $"INSERT INTO {Table(load.Table)} ({Names(columns.Select(c => c.Name))}) SELECT {Names(columns.Select(c => c.Name))} FROM {Rows} r";
        return load.Key.Count == 0 ? insert : $"{insert} WHERE NOT EXISTS (SELECT 1 FROM {Table(load.Table)} t WHERE {SameKey(load)})";
    }

    // Types without an equality of their own.
    static string Comparable(string table, TargetColumn column) => $"{table}.{Name(column.Name)}{(column.Type is "json" or "xml" ? "::text" : "")}";

    static string SameKey(LoadDefinition load) => string.Join(" AND ", load.Key.Select(k => $"t.{Name(k)} = r.{Name(k)}"));

    static string Names(IEnumerable<string> names) => string.Join(", ", names.Select(Name));
}
