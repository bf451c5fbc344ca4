using System.Text.Json.Serialization;

namespace LeanPipe.Contracts;

/// <summary>The name of a table, following <see cref="Name.Rule"/>.</summary>
[JsonConverter(typeof(IdConverter<TableName>))]
public readonly record struct TableName(string Value) : IId<TableName>
{
    public string Value { get; } = Name.Require(Value, "table");

    public static TableName Parse(string text) => new(text);

    public override string ToString() => Value;
}
