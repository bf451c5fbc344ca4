using LeanPipe.Contracts;
using LeanPipe.Documents.Yaml;

namespace LeanPipe.Documents;

/// <summary>A step with the places that rules over several steps point at.</summary>
/// <param name="FanOut">Where its fan-out stands.</param>
/// <param name="Publish">Where its table stands.</param>
sealed record ReadStep(StepDefinition Definition, Position At, Position FanOut, Position Publish)
{
    public string Name => Definition.Name.Value;

    public IEnumerable<string> Needs => Definition.Inputs.Values.OfType<StepInput>().Select(i => i.Step.Value).Distinct();
}
