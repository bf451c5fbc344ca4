using System.Globalization;
using LeanPipe.Contracts;
using LeanPipe.DuckDb;

namespace LeanPipe.StepRunner;

internal static class StepSql
{
    /// <summary>Binds the SQL over the inputs and names its columns, without computing a row.</summary>
    /// <remarks>Asked of the text itself and not of a view over it: a view would rename columns that stand there twice, and shift the lines in DuckDB's messages.</remarks>
    public static IReadOnlyList<OutputColumn> Describe(DuckDbSession session, string sql, CancellationToken cancellation)
    {
        if (session.FindRefusal(sql) is { } refusal) throw new TaskException(refusal.Code, refusal.Message);
        return session.Texts($"DESCRIBE {sql}", cancellation).ConvertAll(row => new OutputColumn(row[0]!, row[1]!));
    }

    /// <summary>All rows of a small result, values as text.</summary>
    public static List<string?[]> Texts(this DuckDbSession session, string select, CancellationToken cancellation)
    {
        using var rows = session.Query(select, cancellation: cancellation);
        var all = new List<string?[]>();
        while (rows.Read())
        {
            var row = new string?[rows.Names.Count];
            for (var i = 0; i < row.Length; i++)
                row[i] = rows.IsNull(i) ? null : Convert.ToString(rows.GetValue(i), CultureInfo.InvariantCulture) ?? "";
            all.Add(row);
        }
        return all;
    }
}
