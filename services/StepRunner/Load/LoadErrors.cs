using Npgsql;

namespace LeanPipe.StepRunner.Load;

/// <summary>What the database said, without a value of the data: PostgreSQL puts these into its messages.</summary>
internal static class LoadErrors
{
    /// <summary>Classes of SQLSTATE whose messages speak of names only: connection, authorization, catalog, syntax and access, resources, operators.</summary>
    static readonly string[] Plain = ["08", "25", "28", "3D", "3F", "42", "53", "55", "57"];

    // Serialisation, deadlock, lock timeout; too few resources; the server or somebody at it ended the session.
    static readonly string[] Passing = ["40001", "40P01", "55P03", "57P01", "57P02", "57P03"];

    public static TaskException From(NpgsqlException failure, string connection, string target) => failure switch
    {
        PostgresException e when e.SqlState.StartsWith("23", StringComparison.Ordinal) => new(
            "load.constraint", $"{Of(connection, target)} refuses the rows ({e.SqlState}): {Constraint(e)}. Nothing was loaded; filter or repair the rows in the step's SQL, or change the table.", inner: Bare(e)),
        PostgresException e when e.SqlState.StartsWith("22", StringComparison.Ordinal) => new(
            "load.value", $"{Of(connection, target)} refuses a value ({e.SqlState}{(e.ColumnName is null ? "" : $", column '{e.ColumnName}'")}): it is not one of the column's type. Nothing was loaded; check the columns that are text in the step's SQL and something else in the table.", inner: Bare(e)),
        PostgresException e => new(
            "load.refused",
            $"{Of(connection, target)} refuses the load ({e.SqlState}){(Plain.Contains(e.SqlState[..2]) ? $": {e.MessageText}" : "")}. Nothing was loaded.",
            Passing.Contains(e.SqlState) || e.SqlState.StartsWith("53", StringComparison.Ordinal),
            Bare(e)),
        _ => new("load.unreachable", $"The database of the connection '{connection}' was not reached, or the connection broke: {failure.Message} Whether the load was done is told by its ledger at the next attempt.", isTransient: true, failure),
    };

    // The exception itself would carry the values into a log.
    static InvalidOperationException Bare(PostgresException e) => new($"SQLSTATE {e.SqlState}");

    static string Of(string connection, string target) => $"The table '{target}' of the connection '{connection}'";

    static string Constraint(PostgresException e) => e.SqlState switch
    {
        PostgresErrorCodes.NotNullViolation => $"column '{e.ColumnName}' takes no null",
        PostgresErrorCodes.ForeignKeyViolation => $"the foreign key '{e.ConstraintName}' finds no row",
        PostgresErrorCodes.UniqueViolation => $"'{e.ConstraintName}' would not be unique",
        _ => $"the constraint '{e.ConstraintName}' is broken",
    };
}
