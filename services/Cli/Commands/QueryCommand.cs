using System.CommandLine;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using LeanPipe.Cli.Output;
using LeanPipe.Cli.Queries;
using LeanPipe.Contracts;
using LeanPipe.DuckDb;
using LeanPipe.Lake;

namespace LeanPipe.Cli.Commands;

/// <summary>`leanpipe query "SELECT …"`</summary>
static class QueryCommand
{
    public static LeanCommand Create(GlobalOptions globals)
    {
        var sql = new Argument<string>("SQL") { Description = "One SELECT; every published table is a view of its name" };
        var rows = new Option<int>("--rows") { Description = "A table shows at most so many rows; 0 shows all", HelpName = "N", DefaultValueFactory = _ => 100 };
        rows.Between(0, int.MaxValue, "0 or more");
        var asOf = new Option<string?>("--as-of") { Description = "The tables as they were: a version of the one table, or a timestamp", HelpName = "VERSION|TIMESTAMP" };
        var format = GlobalOptions.Format();
        var command = new LeanCommand(
            "query", "Read the published tables with DuckDB.",
            "leanpipe query \"SELECT sensor, avg(avg_value) FROM temperatures_hourly GROUP BY sensor ORDER BY 2 DESC LIMIT 5\"", "leanpipe query \"FROM temperatures_hourly\" -o json",
            "leanpipe query --as-of 2026-01-01T10:00:00Z \"SELECT count(*) FROM temperatures_hourly\"", "leanpipe query --lake s3://bucket/prefix \"SELECT count(*) FROM temperatures_hourly\"") { sql, rows, asOf, format };
        return command.Does(globals, async (call, stop) =>
        {
            using var tables = await TableSession.OpenAsync(ObjectStores.OpenExisting(call.Lake), call.Get(sql)!, stop, call.Get(asOf) is { } then ? AsOf.Parse(then) : null);
            using var result = Query(tables, call.Get(sql)!, call.Get(asOf), stop);
            if (call.WantsJson(format)) await WriteJsonAsync(call.Out, result);
            else WriteTable(call.Out, result, call.Get(rows));
            return ExitCode.Done;
        });
    }

    static DuckDbRows Query(TableSession tables, string sql, string? asOf, CancellationToken stop)
    {
        try
        {
            return tables.Session.Query(sql, cancellation: stop);
        }
        catch (DuckDbException e) when (e.Message.StartsWith("Catalog Error: Table with name", StringComparison.Ordinal))
        {
            // DuckDB guesses among its own tables, of which nobody here knows any.
            var names = tables.Published.Count == 0 ? "none yet" : string.Join(", ", tables.Published);
            throw new LeanPipeException(e.Code, $"{e.Message.Split('\n')[0]} Published tables: {names}{(asOf is null ? "" : $", not all of them as of {asOf}")}; always there: {RunTables.Runs}, {RunTables.Steps}, {RunTables.Tasks}.");
        }
    }

    internal static void WriteTable(TextWriter output, DuckDbRows result, int limit)
    {
        var shown = new List<object?[]>();
        var more = 0L;
        while (result.Read())
        {
            if (limit == 0 || shown.Count < limit) shown.Add([.. Enumerable.Range(0, result.Names.Count).Select(result.GetValue)]);
            else more++;
        }
        TextTable.Write(output, shown, [.. result.Names.Select((n, i) => new TextColumn<object?[]>(n, r => r[i], shown.Exists(r => r[i] is sbyte or short or int or long or float or double or decimal)))]);
        if (more > 0) output.WriteLine($"… and {more} more rows; --rows 0 shows all.");
    }

    static async Task WriteJsonAsync(TextWriter output, DuckDbRows result)
    {
        // A row per line: large results stay readable and can be cut.
        var first = true;
        using var buffer = new MemoryStream();
        await output.WriteAsync("[");
        while (result.Read())
        {
            buffer.SetLength(0);
            using (var json = new Utf8JsonWriter(buffer, new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
            {
                json.WriteStartObject();
                for (var i = 0; i < result.Names.Count; i++)
                {
                    json.WritePropertyName(result.Names[i]);
                    ValueJson.Write(json, result.GetValue(i));
                }
                json.WriteEndObject();
            }
            await output.WriteAsync($"{(first ? "" : ",")}\n{Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length)}");
            first = false;
        }
        await output.WriteLineAsync(first ? "]" : "\n]");
    }
}
