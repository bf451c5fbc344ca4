using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace LeanPipe.Orchestrator;

/// <summary>Objects of the API server are read where they stand: of their many fields ten matter here.</summary>
[JsonSerializable(typeof(JsonElement))]
sealed partial class KubernetesJson : JsonSerializerContext;

static class KubernetesObjects
{
    /// <summary>The value at the end of the names; default where one is missing.</summary>
    public static JsonElement At(this JsonElement element, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
            if (element.ValueKind != JsonValueKind.Object || !element.TryGetProperty(name, out element)) return default;
        return element;
    }

    /// <summary>Empty where it is missing or no text.</summary>
    public static string Text(this JsonElement element, params ReadOnlySpan<string> names) =>
        element.At(names) is { ValueKind: JsonValueKind.String } text ? text.GetString()! : "";

    /// <summary>None where it is missing or no list.</summary>
    public static IEnumerable<JsonElement> Items(this JsonElement element, params ReadOnlySpan<string> names) =>
        element.At(names) is { ValueKind: JsonValueKind.Array } list ? list.EnumerateArray() : [];

    public static string Name(this JsonElement element) => element.Text("metadata", "name");

    /// <summary>A condition that holds.</summary>
    public static JsonElement? Condition(this JsonElement element, string type, string status = "True")
    {
        foreach (var condition in element.Items("status", "conditions"))
            if (condition.Text("type") == type && condition.Text("status") == status) return condition;
        return null;
    }
}

/// <summary>The API server refused a watch.</summary>
sealed class KubernetesException(HttpStatusCode code, string message, TimeSpan? retryAfter) : Exception($"{(int)code} {message}")
{
    public HttpStatusCode Code => code;

    public TimeSpan? RetryAfter => retryAfter;
}
