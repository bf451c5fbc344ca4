using System.Text.Json.Serialization;

namespace LeanPipe.Contracts;

/// <summary>The input of the workflow <see cref="EventNames.PipelineWorkflow"/>, as a person writes it into the Dapr HTTP API's body.</summary>
/// <param name="Revision">Null takes the newest revision of the window when the run is planned.</param>
public sealed record RunRequest(
    PipelineName Pipeline, WindowId Window, int? Revision = null,
    [property: JsonConverter(typeof(ScalarTexts))] IReadOnlyDictionary<string, string>? Params = null);
