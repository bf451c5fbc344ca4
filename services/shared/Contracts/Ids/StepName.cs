using System.Text.Json.Serialization;

namespace LeanPipe.Contracts;

/// <summary>The name of a step, following <see cref="Name.Rule"/>.</summary>
[JsonConverter(typeof(IdConverter<StepName>))]
public readonly record struct StepName(string Value) : IId<StepName>
{
    public string Value { get; } = Name.Require(Value, "step");

    public static StepName Parse(string text) => new(text);

    public override string ToString() => Value;
}
