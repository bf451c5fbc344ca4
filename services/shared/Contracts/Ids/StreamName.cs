using System.Text.Json.Serialization;

namespace LeanPipe.Contracts;

/// <summary>The name of a stream, following <see cref="Name.Rule"/>.</summary>
[JsonConverter(typeof(IdConverter<StreamName>))]
public readonly record struct StreamName(string Value) : IId<StreamName>
{
    public string Value { get; } = Name.Require(Value, "stream");

    public static StreamName Parse(string text) => new(text);

    public override string ToString() => Value;
}
