using System.Text.Json;

namespace LeanPipe.DuckDb;

/// <summary>Why a text is not one SELECT.</summary>
/// <param name="Message">With line and column where DuckDB knows them.</param>
public sealed record SqlRefusal(string Code, string Message);

/// <summary>Reads what DuckDB's own parser (<c>json_serialize_sql</c>, which takes nothing but SELECTs) says of a text.</summary>
static class SelectCheck
{
    // They change the session or break it, read memory by address, or hide SQL in a text from this check. All of them are callable from a SELECT.
    static readonly HashSet<string> Refused = new(StringComparer.OrdinalIgnoreCase)
    {
        "checkpoint", "force_checkpoint", "enable_logging", "disable_logging", "truncate_duckdb_logs", "write_log", "query", "json_execute_serialized_sql",
        "enable_profiling", "disable_profiling", "enable_peg_parser", "disable_peg_parser", "arrow_scan", "arrow_scan_dumb",
    };

    // A tree of a long expression is deep; DuckDB's parser itself stops at 1,000 levels.
    static readonly JsonDocumentOptions Deep = new() { MaxDepth = 16_000 };

    public static SqlRefusal? Find(string sql, string serialized)
    {
        using var document = JsonDocument.Parse(serialized, Deep);
        var root = document.RootElement;
        if (root.GetProperty("error").GetBoolean())
        {
            var message = root.GetProperty("error_message").GetString();
            return root.GetProperty("error_type").GetString() == "parser"
                ? new SqlRefusal("duckdb.sql", $"Parser Error: {message}{Position(sql, root)}")
                : new SqlRefusal("duckdb.not_one_select", $"The SQL holds a statement that is no SELECT; expected exactly one SELECT (WITH …, FROM … and VALUES … are SELECTs; a PIVOT must list its values). DuckDB says: {message}");
        }

        var statements = root.GetProperty("statements").GetArrayLength();
        if (statements != 1)
            return new SqlRefusal("duckdb.not_one_select", $"The SQL holds {statements} statements; expected exactly one SELECT. Make the others CTEs (WITH …) or steps of their own.");
        return FindFunction(root) is { } function
            ? new SqlRefusal("duckdb.not_one_select", $"The SQL calls {function}(), which does more than read; a SELECT here may only read.")
            : null;
    }

    static string Position(string sql, JsonElement error)
    {
        if (!error.TryGetProperty("position", out var text) || !int.TryParse(text.GetString(), out var position) || position > sql.Length)
            return "";
        var before = sql.AsSpan(0, position);
        return $" (line {before.Count('\n') + 1}, column {position - before.LastIndexOf('\n')})";
    }

    static string? FindFunction(JsonElement node)
    {
        if (node.ValueKind == JsonValueKind.Array)
        {
            foreach (var item in node.EnumerateArray())
                if (FindFunction(item) is { } found) return found;
        }
        else if (node.ValueKind == JsonValueKind.Object)
        {
            if (node.TryGetProperty("function_name", out var name) && name.ValueKind == JsonValueKind.String && Refused.Contains(name.GetString()!)) return name.GetString();
            foreach (var property in node.EnumerateObject())
                if (FindFunction(property.Value) is { } found) return found;
        }

        return null;
    }
}
