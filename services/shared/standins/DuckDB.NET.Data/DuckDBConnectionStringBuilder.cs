using System.Data.Common;

namespace DuckDB.NET.Data;

/// <summary><c>DataSource=</c> (or <c>Data Source=</c>) a path or <c>:memory:</c>; every other key is a DuckDB setting for the start, for example <c>threads=2</c>.</summary>
public class DuckDBConnectionStringBuilder : DbConnectionStringBuilder
{
    public const string InMemoryDataSource = ":memory:";
    public const string InMemoryConnectionString = "DataSource=:memory:";
    public const string InMemorySharedDataSource = ":memory:?cache=shared";
    public const string InMemorySharedConnectionString = "DataSource=:memory:?cache=shared";

    static readonly string[] DataSourceKeys = ["DataSource", "Data Source"];

    public string DataSource
    {
        get => DataSourceKeys.Select(key => TryGetValue(key, out var value) ? value.ToString() : null).FirstOrDefault(value => value is not null) ?? "";
        set => this[DataSourceKeys[0]] = value;
    }

    internal IReadOnlyDictionary<string, string> Settings =>
        Keys.Cast<string>().Where(key => !DataSourceKeys.Contains(key, StringComparer.OrdinalIgnoreCase)).ToDictionary(key => key, key => this[key].ToString() ?? "");
}
