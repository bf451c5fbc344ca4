using LeanPipe.Cli.Audits;
using LeanPipe.Cli.Commands;
using LeanPipe.Cli.Homes;
using LeanPipe.Cli.Output;
using LeanPipe.Cli.Queries;
using LeanPipe.Cli.Runs;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Cli.Demo;

/// <summary>What a finished demo shows, and whether it is the answer.</summary>
static class DemoReport
{
    public const string Stream = "telemetry";
    const string Pipeline = "telemetry-hourly";
    public const string Table = "temperatures_hourly";

    /// <summary>What the person typed to get here, as the wrapper script says; the commands shown can then be pasted.</summary>
    static readonly string Program = Environment.GetEnvironmentVariable("LEANPIPE_COMMAND") is { Length: > 0 } typed ? typed : "leanpipe";

    /// <returns>Every way in which the lake is not what the generator knows; none when all is well.</returns>
    public static async Task<IReadOnlyList<string>> WriteAsync(TextWriter output, HomeFolder home, IObjectStore store, DemoState state, CancellationToken stop)
    {
        var audit = await Audit.ReadAsync(store, new(Stream), stop);
        AuditPrinter.Write(output, audit);
        output.WriteLine();
        await WriteRunsAsync(output, store, stop);
        output.WriteLine();
        if ((await store.GetJsonAsync(LakeLayout.CatalogJson, ContractsJson.Default.Catalog, stop))?.Tables.Any(t => t.Name.Value == Table) != true) return [$"the table {Table} was not published"];
        output.WriteLine($"Table {Table}, its first rows:");
        using (var tables = await TableSession.OpenAsync(store, Table, stop))
        using (var rows = tables.Session.Query($"SELECT * FROM {Table} ORDER BY start_time, sensor_id LIMIT 6", cancellation: stop)) QueryCommand.WriteTable(output, rows, 0);
        output.WriteLine();
        var faults = await FaultsAsync(audit, store, state, stop);
        if (faults.Count == 0) WriteNext(output, home);
        return faults;
    }

    static async Task<IReadOnlyList<string>> FaultsAsync(Audit audit, IObjectStore store, DemoState state, CancellationToken stop)
    {
        var expected = Expectation.Of(state.Options);
        var faults = new List<string>();
        if (!audit.Balances) faults.Add("the ledger does not balance");
        // What was sent again after an interruption was counted again: more than expected is right then, less never.
        var (rejects, exact) = (audit.Rejects.Values.Sum(), !state.Interrupted);
        if (audit.Records < expected.Records || (exact && audit.Records != expected.Records)) faults.Add($"the ledger counts {audit.Records:N0} records, {expected.Records:N0} were sent");
        if (rejects < expected.Rejects || (exact && rejects != expected.Rejects)) faults.Add($"the ledger counts {rejects:N0} rejects, {expected.Rejects:N0} bad frames were sent");
        if (expected.Difference(await ReadTableAsync(store, stop)) is { } difference) faults.Add($"the table is not what was sent: {difference}");
        return faults;
    }

    static async Task<IReadOnlyList<HourlyRow>> ReadTableAsync(IObjectStore store, CancellationToken stop)
    {
        using var tables = await TableSession.OpenAsync(store, Table, stop);
        using var rows = tables.Session.Query($"SELECT sensor_id, epoch_ms(start_time), readings, avg_value, min_value, max_value FROM {Table}", cancellation: stop);
        var table = new List<HourlyRow>();
        while (rows.Read())
            table.Add(new(rows.GetInt64(0), DateTimeOffset.FromUnixTimeMilliseconds(rows.GetInt64(1)), rows.GetInt64(2), rows.GetDouble(3), rows.GetDouble(4), rows.GetDouble(5)));
        return table;
    }

    static async Task WriteRunsAsync(TextWriter output, IObjectStore store, CancellationToken stop)
    {
        var steps = new List<(string Run, RunState State, StepRecord Step)>();
        foreach (var line in (await RunDetails.ListAsync(store, 200, stop)).OrderBy(l => l.Run.Value, StringComparer.Ordinal))
            if (await RunDetails.FindAsync(store, line.Run, stop) is { } detail)
                steps.AddRange(detail.Steps.Select((s, i) => (i == 0 ? line.Run.Value : "", line.State, s)));
        TextTable.Write(
            output, steps, new("RUN", s => s.Run), new("STEP", s => s.Step.Step), new("TASKS", s => s.Step.Tasks, Right: true), new("ROWS IN", s => s.Step.RowsIn, Right: true),
            new("ROWS OUT", s => s.Step.RowsOut, Right: true), new("SECONDS", s => s.Step.Seconds.ToString("0.0", null), Right: true));
    }

    static void WriteNext(TextWriter output, HomeFolder home)
    {
        var at = home.Path == Path.Combine(Environment.CurrentDirectory, ".leanpipe") ? "" : $" --home {home.Path}";
        output.WriteLine("The ledger balances, and every sensor and hour of the table is what was sent. Try next:");
        output.WriteLine($"  {Program} query{at} \"SELECT site, round(avg(avg_value), 2) AS celsius FROM {Table} GROUP BY site ORDER BY 2 DESC\"");
        output.WriteLine($"  {Program} up{at}                       (in another terminal, for the commands below)");
        output.WriteLine($"  {Program} run{at} {Pipeline} --window 2026-01-01T10 --param kind=Humidity --wait");
        output.WriteLine($"  {Program} runs{at}");
        output.WriteLine($"  {Program} audit{at} --stream {Stream}");
        output.WriteLine($"The stream, the pipeline and its SQL are in {home.Config}: change them and run it again.");
    }
}
