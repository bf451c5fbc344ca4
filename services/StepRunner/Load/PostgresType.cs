using System.Globalization;
using System.Text.RegularExpressions;
using NpgsqlTypes;

namespace LeanPipe.StepRunner.Load;

/// <summary>A type that rows are copied as.</summary>
/// <param name="Sql">As PostgreSQL spells it (<c>format_type</c>).</param>
internal sealed partial record PostgresType(string Sql, NpgsqlDbType Wire)
{
    // Decimal digits of the whole numbers.
    static readonly Dictionary<string, int> Digits = new(StringComparer.Ordinal) { ["smallint"] = 5, ["integer"] = 10, ["bigint"] = 19 };

    static readonly Dictionary<string, string[]> Wider = new(StringComparer.Ordinal)
    {
        ["smallint"] = ["integer", "bigint", "real", "double precision"],
        ["integer"] = ["bigint", "double precision"],
        ["real"] = ["double precision"],
    };

    /// <summary>Null when there is none: lists, structs and maps.</summary>
    /// <param name="type">DuckDB's type text, as it passed the schema gate.</param>
    public static PostgresType? Of(string type) => type switch
    {
        "BOOLEAN" => new("boolean", NpgsqlDbType.Boolean),
        "TINYINT" or "SMALLINT" => new("smallint", NpgsqlDbType.Smallint),
        "INTEGER" => new("integer", NpgsqlDbType.Integer),
        "BIGINT" => new("bigint", NpgsqlDbType.Bigint),
        "FLOAT" => new("real", NpgsqlDbType.Real),
        "DOUBLE" => new("double precision", NpgsqlDbType.Double),
        "VARCHAR" => new("text", NpgsqlDbType.Text),
        "BLOB" => new("bytea", NpgsqlDbType.Bytea),
        "DATE" => new("date", NpgsqlDbType.Date),
        "TIMESTAMP WITH TIME ZONE" => new("timestamp with time zone", NpgsqlDbType.TimestampTz),
        _ when type.StartsWith("DECIMAL(", StringComparison.Ordinal) && !type.EndsWith(']') => new("numeric" + type["DECIMAL".Length..], NpgsqlDbType.Numeric),
        _ => null,
    };

    /// <summary>Whether every value of this type is one of the column's, or is refused by the database: nothing is rounded or cut without a word.</summary>
    /// <param name="column">The column's type, as PostgreSQL spells it.</param>
    public bool FitsInto(string column)
    {
        // What is text is read by the column's own type: uuid, json, an enum, and the like.
        if (column == Sql || Sql == "text")
            return true;
        if (Wider.TryGetValue(Sql, out var wider) && wider.Contains(column))
            return true;
        if (Numeric(column) is not { } target)
            return false;
        return Digits.TryGetValue(Sql, out var digits) ? target.Whole >= digits
            : Numeric(Sql) is { } own && target.Whole >= own.Whole && target.Fraction >= own.Fraction;
    }

    static (int Whole, int Fraction)? Numeric(string type)
    {
        if (type == "numeric")
            return (int.MaxValue, int.MaxValue);
        var match = Precision().Match(type);
        if (!match.Success)
            return null;
        var (precision, scale) = (int.Parse(match.Groups["p"].ValueSpan, CultureInfo.InvariantCulture), int.Parse(match.Groups["s"].ValueSpan, CultureInfo.InvariantCulture));
        return (precision - scale, scale);
    }

    [GeneratedRegex(@"^numeric\((?<p>[0-9]+),\s*(?<s>[0-9]+)\)$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Precision();
}
