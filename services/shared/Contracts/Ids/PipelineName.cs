using System.Text.Json.Serialization;

namespace LeanPipe.Contracts;

/// <summary>The name of a pipeline, following <see cref="Name.Rule"/>.</summary>
[JsonConverter(typeof(IdConverter<PipelineName>))]
public readonly record struct PipelineName(string Value) : IId<PipelineName>
{
    public string Value { get; } = Name.Require(Value, "pipeline");

    public static PipelineName Parse(string text) => new(text);

    public override string ToString() => Value;
}
