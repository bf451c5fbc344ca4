using LeanPipe.Contracts;
using Npgsql;

namespace LeanPipe.StepRunner.Load;

/// <summary>What the tables look like, and what is made of them before rows come: a target or lookup table that is missing, a column that is new.</summary>
internal sealed class PostgresCatalog(NpgsqlConnection connection, LoadDefinition load, IReadOnlyList<LoadColumn> columns, CancellationToken cancellation)
{
    // Any number that nobody else takes.
    const long MakingLock = 0x4C50_4C4F_4144;

    const string Columns = """
        SELECT a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a
        WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped
        """;

    const string UniqueIndexes = """
        SELECT array_agg(a.attname::text) FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)
        WHERE i.indrelid = to_regclass($1) AND i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL GROUP BY i.indexrelid
        """;

    public async Task<bool> ExistsAsync(string table)
    {
        await using var command = new NpgsqlCommand("SELECT to_regclass($1) IS NOT NULL", connection) { Parameters = { new() { Value = LoadSql.Table(table) } } };
        return (bool)(await command.ExecuteScalarAsync(cancellation))!;
    }

    /// <summary>The types of a lookup table's columns; the table is made when it is missing.</summary>
    public async Task<IReadOnlyDictionary<string, string>> LookupAsync(LoadLookup lookup)
    {
        if (!await ExistsAsync(lookup.Table)) await CreateAsync(LoadSql.CreateLookup(lookup, columns));
        var types = await TypesAsync(lookup.Table);
        foreach (var name in lookup.Match.Select(m => m.Column).Append(lookup.Id).Where(n => !types.ContainsKey(n)))
            throw Mismatch($"the lookup table '{lookup.Table}' has no column '{name}'");
        foreach (var match in lookup.Match)
        {
            if (!Column(match.From).Type.FitsInto(types[match.Column]))
                throw Mismatch($"'{match.From}' is {Column(match.From).Type.Sql}, and '{match.Column}' of the lookup table '{lookup.Table}' is {types[match.Column]}: cast it in the step's SQL");
        }
        if (!await IsUniqueAsync(lookup))
            throw Mismatch($"the lookup table '{lookup.Table}' may hold {string.Join(", ", lookup.Match.Select(m => $"'{m.Column}'"))} twice, so that a foreign key would not be certain: {LoadSql.AddUnique(lookup)}");
        return types;
    }

    /// <summary>The target's columns that the load writes. A missing table is made, a missing column is added; a type that could lose something is refused.</summary>
    public async Task<IReadOnlyList<TargetColumn>> TargetAsync(IReadOnlyList<IReadOnlyDictionary<string, string>> lookupTypes)
    {
        var looked = load.Lookups.SelectMany(l => l.Match.Select(m => m.From)).ToHashSet(StringComparer.Ordinal);
        var wanted = columns.Where(c => !looked.Contains(c.Name)).Select(c => new TargetColumn(c.Name, $"s.{LoadSql.Name(c.Name)}", c.Type.Sql))
            .Concat(load.Lookups.Select((l, i) => new TargetColumn(l.Column, $"l{i}.{LoadSql.Name(l.Id)}", lookupTypes[i][l.Id]))).ToList();
        if (wanted.CountBy(c => c.Name).FirstOrDefault(c => c.Value > 1).Key is { } twice)
            throw Mismatch($"'{twice}' is a column of the step's SQL and a lookup's; leave it out of the SELECT");
        foreach (var key in load.Key.Where(k => wanted.All(c => c.Name != k)))
            throw Mismatch($"the key '{key}' is no column; the step's SQL yields {string.Join(", ", wanted.Select(c => c.Name))}");

        if (!await ExistsAsync(load.Table)) await CreateAsync(LoadSql.CreateTarget(load, wanted));
        var types = await TypesAsync(load.Table);
        foreach (var added in wanted.Where(c => !types.ContainsKey(c.Name))) await ExecuteAsync(LoadSql.AddColumn(load, added));
        foreach (var column in wanted.Where(c => types.TryGetValue(c.Name, out var type) && !Fits(c, type)))
            throw Mismatch($"column '{column.Name}' of the table is {types[column.Name]}, and the step's SQL yields {column.Type}: cast it there, or change the column");
        return [.. wanted.Select(c => c with { Type = types.GetValueOrDefault(c.Name, c.Type) })];
    }

    /// <summary>
    /// Makes a table unless another load has made it meanwhile: two that make one at the same time would fail, so this is done one at a time. That the table was missing is
    /// remembered by the session; only making it makes it look again.
    /// </summary>
    public async Task CreateAsync(string sql)
    {
        await ExecuteAsync($"SELECT pg_advisory_xact_lock({MakingLock})");
        await ExecuteAsync(sql);
    }

    public async Task<int> ExecuteAsync(string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteNonQueryAsync(cancellation);
    }

    bool Fits(TargetColumn wanted, string type) => columns.FirstOrDefault(c => c.Name == wanted.Name) is { } column ? column.Type.FitsInto(type) : wanted.Type == type;

    LoadColumn Column(string name) => columns.FirstOrDefault(c => c.Name == name)
        ?? throw Mismatch($"a lookup reads '{name}', but the step's SQL yields {string.Join(", ", columns.Select(c => c.Name))}");

    async Task<bool> IsUniqueAsync(LoadLookup lookup)
    {
        await using var command = new NpgsqlCommand(UniqueIndexes, connection) { Parameters = { new() { Value = LoadSql.Table(lookup.Table) } } };
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
            if (reader.GetFieldValue<string[]>(0).ToHashSet(StringComparer.Ordinal).SetEquals(lookup.Match.Select(m => m.Column))) return true;
        return false;
    }

    async Task<Dictionary<string, string>> TypesAsync(string table)
    {
        var types = new Dictionary<string, string>(StringComparer.Ordinal);
        await using var command = new NpgsqlCommand(Columns, connection) { Parameters = { new() { Value = LoadSql.Table(table) } } };
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation)) types.Add(reader.GetString(0), reader.GetString(1));
        return types;
    }

    TaskException Mismatch(string what) => new("load.mismatch", $"The load into '{load.Table}' cannot be done: {what}.");
}
