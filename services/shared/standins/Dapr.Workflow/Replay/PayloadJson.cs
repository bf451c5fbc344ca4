using System.Text.Json;

namespace Dapr.Workflow.Serialization;

/// <summary>Payloads are JSON text: Web defaults and fields, in the worker and in the client alike. Null is the empty text, both ways.</summary>
static class PayloadJson
{
    static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web) { IncludeFields = true };

    public static string Write(object? value) => value is null ? string.Empty : JsonSerializer.Serialize(value, value.GetType(), Options);

    public static T? Read<T>(string? json) => string.IsNullOrEmpty(json) ? default : JsonSerializer.Deserialize<T>(json, Options);

    public static object? Read(string? json, Type type) => string.IsNullOrEmpty(json) ? null : JsonSerializer.Deserialize(json, type, Options);
}
