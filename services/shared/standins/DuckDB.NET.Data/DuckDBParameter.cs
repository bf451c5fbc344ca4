using System.Data;
using System.Data.Common;
using System.Diagnostics.CodeAnalysis;

namespace DuckDB.NET.Data;

/// <summary>A value for <c>?</c> or <c>$1</c> (no name), or for <c>$name</c>. Its CLR type decides how it is bound.</summary>
public class DuckDBParameter : DbParameter
{
    public DuckDBParameter()
    {
    }

    public DuckDBParameter(object? value) => Value = value;

    public DuckDBParameter(DbType type, object? value) : this(value) => DbType = type;

    public DuckDBParameter(string name, object? value) : this(value) => ParameterName = name;

    public DuckDBParameter(string name, DbType type, object? value) : this(type, value) => ParameterName = name;

    public override DbType DbType { get; set; } = DbType.String;

    public override ParameterDirection Direction { get; set; } = ParameterDirection.Input;

    public override bool IsNullable { get; set; }

    [AllowNull]
    public override string ParameterName { get => field; set => field = value ?? ""; } = "";

    public override int Size { get; set; }

    [AllowNull]
    public override string SourceColumn { get => field; set => field = value ?? ""; } = "";

    public override bool SourceColumnNullMapping { get; set; }

    public override object? Value { get; set; }

    public override void ResetDbType() => DbType = DbType.String;
}
