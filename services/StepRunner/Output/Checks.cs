using System.Globalization;
using LeanPipe.Contracts;
using LeanPipe.DuckDb;

namespace LeanPipe.StepRunner;

/// <summary>The step's checks, over the finished chunks as the view <c>output</c> and over the inputs. Bad data stops here: nothing was uploaded yet.</summary>
internal static class Checks
{
    /// <summary>Every check's result; all run, so that one failure does not hide the next.</summary>
    public static IReadOnlyList<CheckResult> Run(DuckDbSession session, TaskSpec spec, CancellationToken cancellation) =>
        [.. spec.Checks.Select(check => Run(session, check, cancellation))];

    /// <exception cref="TaskException"><c>check.failed</c>, naming each failed check with what it found and what was expected.</exception>
    public static void ThrowIfFailed(IReadOnlyList<CheckResult> results)
    {
        var failed = results.Where(r => !r.Passed).Select(r => $"'{r.Name}' found {r.Found?.ToString(CultureInfo.InvariantCulture) ?? "NULL"}, expected {r.Expected}").ToList();
        if (failed.Count > 0)
            throw new TaskException("check.failed", $"{failed.Count} of {results.Count} checks failed: {string.Join("; ", failed)}. Nothing was uploaded.");
    }

    static CheckResult Run(DuckDbSession session, CheckDefinition check, CancellationToken cancellation)
    {
        List<string?[]> rows;
        try
        {
            rows = session.Texts(check.Sql, cancellation);
        }
        catch (DuckDbException e) when (e.Code is "duckdb.sql" or "duckdb.not_one_select" or "duckdb.permission")
        {
            throw new TaskException("check.sql_error", $"Check '{check.Name}': {e.Message}", inner: e);
        }
        if (rows is not [{ Length: 1 }])
            throw NoCount(check, $"{rows.Count} rows{(rows.Count > 0 ? $" of {rows[0].Length} columns" : "")}");
        var found = rows[0][0];
        if (found is null) return new(check.Name, check.Expect, null, Passed: false);
        return long.TryParse(found, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var count)
            ? new(check.Name, check.Expect, count, count == check.Expect)
            : throw NoCount(check, "a value that is no whole number");
    }

    static TaskException NoCount(CheckDefinition check, string found) =>
        new("check.no_count", $"Check '{check.Name}' yields {found}, expected one row with one whole number, as SELECT count(*) … gives.");
}
