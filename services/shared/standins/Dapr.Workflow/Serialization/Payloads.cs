using Dapr.Common.Serialization;

namespace Dapr.Workflow.Serialization;

/// <summary>Payloads as text. Null is the empty text, both ways, whatever the serializer; it sees only what is there.</summary>
sealed class Payloads(IDaprSerializer serializer)
{
    /// <summary>JSON: Web defaults and fields, in the worker and in the client alike.</summary>
    public static Payloads Json { get; } = new(new JsonDaprSerializer());

    public string Write(object? value) => value is null ? string.Empty : serializer.Serialize(value, value.GetType());

    public T? Read<T>(string? text) => string.IsNullOrEmpty(text) ? default : serializer.Deserialize<T>(text);

    public object? Read(string? text, Type type) => string.IsNullOrEmpty(text) ? null : serializer.Deserialize(text, type);
}
