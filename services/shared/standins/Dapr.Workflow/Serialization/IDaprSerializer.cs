using System.Text.Json;
using Dapr.Common.Serialization;

namespace Dapr.Common.Serialization
{
    /// <summary>Turns values into the text of a payload and back.</summary>
    public interface IDaprSerializer
    {
        string Serialize<T>(T value);

        /// <param name="value">Null becomes the empty text.</param>
        /// <param name="inputType">The value's own type when null.</param>
        string Serialize(object? value, Type? inputType = null);

        /// <summary>The default of <typeparamref name="T"/> for a missing or empty text.</summary>
        T? Deserialize<T>(string? data);

        /// <summary>Null for a missing or empty text.</summary>
        object? Deserialize(string? data, Type returnType);
    }

    /// <summary>JSON text: Web defaults (camel case, read without case) and fields, unless given other options.</summary>
    public sealed class JsonDaprSerializer : IDaprSerializer
    {
        readonly JsonSerializerOptions _options;

        public JsonDaprSerializer()
            : this(new JsonSerializerOptions(JsonSerializerDefaults.Web) { IncludeFields = true })
        {
        }

        public JsonDaprSerializer(JsonSerializerOptions options)
        {
            ArgumentNullException.ThrowIfNull(options);
            _options = options;
        }

        public string Serialize<T>(T value) => value is null ? string.Empty : JsonSerializer.Serialize(value, _options);

        public string Serialize(object? value, Type? inputType = null) =>
            value is null ? string.Empty : JsonSerializer.Serialize(value, inputType ?? value.GetType(), _options);

        public T? Deserialize<T>(string? data) => string.IsNullOrEmpty(data) ? default : JsonSerializer.Deserialize<T>(data, _options);

        public object? Deserialize(string? data, Type returnType) =>
            string.IsNullOrEmpty(data) ? null : JsonSerializer.Deserialize(data, returnType, _options);
    }
}

namespace Dapr.Workflow.Serialization
{
    /// <summary>A serializer of the workflow packages alone.</summary>
    public interface IWorkflowSerializer : IDaprSerializer;
}
