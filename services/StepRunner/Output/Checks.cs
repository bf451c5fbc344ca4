using System.Globalization;
using LeanPipe.Contracts;
using LeanPipe.DuckDb;

namespace LeanPipe.StepRunner;

/// <summary>A check's result, and the local file of the rows that it found, if it says which these are.</summary>
internal sealed record CheckFinding(CheckResult Result, string? RowsFile = null);

/// <summary>The step's checks, over the finished chunks as the view <c>output</c> and over the inputs. Bad data stops here: no chunk was uploaded yet.</summary>
internal sealed class Checks(DuckDbSession session, Scratch scratch)
{
    /// <summary>So many offending rows are kept: enough to see what is wrong, and bounded however wrong it is.</summary>
    const int KeptRows = 1000;

    // No input can have this name: it breaks the rule for names.
    const string Offending = "offending rows";

    /// <summary>Every check's result; all run, so that one failure does not hide the next.</summary>
    public IReadOnlyList<CheckFinding> Run(TaskSpec spec, CancellationToken cancellation)
    {
        Directory.CreateDirectory(scratch.Chunks);
        return [.. spec.Checks.Select(check => Run(check, cancellation))];
    }

    /// <exception cref="TaskException"><c>check.failed</c>, naming each failed check with what it found, what was expected and where its rows are.</exception>
    public static void ThrowIfFailed(IReadOnlyList<CheckResult> results)
    {
        var failed = results.Where(r => !r.Passed && r.Severity is not CheckSeverity.Warn).Select(r =>
            $"'{r.Name}' found {r.Found?.ToString(CultureInfo.InvariantCulture) ?? "NULL"}, expected {r.Expected}{(r.Rows is null ? "" : $" (rows: {r.Rows})")}").ToList();
        if (failed.Count > 0)
            throw new TaskException("check.failed", $"{failed.Count} of {results.Count} checks failed: {string.Join("; ", failed)}. No chunk was uploaded.");
    }

    CheckFinding Run(CheckDefinition check, CancellationToken cancellation)
    {
        try
        {
            var found = check.Rows is true ? CountRows(check, cancellation) : Value(check, cancellation);
            var result = new CheckResult(check.Name, check.Expect, found, found == check.Expect, check.Severity);
            return new(result, result.Passed ? null : Keep(check, cancellation));
        }
        catch (DuckDbException e) when (e.Code is "duckdb.sql" or "duckdb.not_one_select" or "duckdb.permission")
        {
            throw new TaskException("check.sql_error", $"Check '{check.Name}': {e.Message}", inner: e);
        }
    }

    long? CountRows(CheckDefinition check, CancellationToken cancellation)
    {
        session.CreateView(Offending, check.Sql, cancellation);
        return long.Parse(session.Texts($"SELECT count(*) FROM {SqlText.Identifier(Offending)}", cancellation)[0][0]!, CultureInfo.InvariantCulture);
    }

    long? Value(CheckDefinition check, CancellationToken cancellation)
    {
        var rows = session.Texts(check.Sql, cancellation);
        if (rows is not [{ Length: 1 }])
            throw NoCount(check, $"{rows.Count} rows{(rows.Count > 0 ? $" of {rows[0].Length} columns" : "")}");
        if (rows[0][0] is not { } found) return null;
        return long.TryParse(found, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var count) ? count : throw NoCount(check, "a value that is no whole number");
    }

    /// <summary>The rows behind the finding: those of a rows check, or those that a plain <c>SELECT count(*) FROM … WHERE …</c> counts when there should be none.</summary>
    string? Keep(CheckDefinition check, CancellationToken cancellation)
    {
        var rows = check.Rows is true ? check.Sql : check.Expect == 0 ? session.CountedRows(check.Sql) : null;
        if (rows is null) return null;
        var path = Path.Combine(scratch.Chunks, $"check-{check.Name}.ndjson");
        session.CreateView(Offending, rows, cancellation);
        session.Execute($"COPY (FROM {SqlText.Identifier(Offending)} LIMIT {KeptRows}) TO {SqlText.Literal(path)} (FORMAT json)", cancellation: cancellation);
        return path;
    }

    static TaskException NoCount(CheckDefinition check, string found) =>
        new("check.no_count", $"Check '{check.Name}' yields {found}, expected one row with one whole number, as SELECT count(*) … gives; rows that should not be there are selected by 'rows'.");
}
