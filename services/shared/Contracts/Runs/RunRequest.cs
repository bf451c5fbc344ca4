using System.Text.Json.Serialization;

namespace LeanPipe.Contracts;

/// <summary>The input of the workflow <see cref="EventNames.PipelineWorkflow"/>, as a person writes it into the Dapr HTTP API's body.</summary>
/// <param name="Revision">Null takes the newest revision of the window when the run is planned.</param>
public sealed record RunRequest(
    PipelineName Pipeline, WindowId Window, int? Revision = null,
    [property: JsonConverter(typeof(ScalarTexts))] IReadOnlyDictionary<string, string>? Params = null)
{
    /// <summary>Whether the other asks for the same, in whatever order its parameters stand.</summary>
    public bool IsSameAs(RunRequest other) => (Pipeline, Window, Revision) == (other.Pipeline, other.Window, other.Revision) && Sorted(Params).SequenceEqual(Sorted(other.Params));

    static IEnumerable<KeyValuePair<string, string>> Sorted(IReadOnlyDictionary<string, string>? values) => (values ?? new Dictionary<string, string>()).OrderBy(v => v.Key, StringComparer.Ordinal);
}
