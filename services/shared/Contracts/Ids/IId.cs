using System.Text.Json;
using System.Text.Json.Serialization;

namespace LeanPipe.Contracts;

/// <summary>An id that is one string on the wire, also as a property name.</summary>
public interface IId<TSelf> where TSelf : struct, IId<TSelf>
{
    string Value { get; }

    /// <exception cref="LeanPipeException">The text does not follow the id's rule.</exception>
    static abstract TSelf Parse(string text);
}

/// <summary>Writes an id as its text; text that breaks the id's rule is a <see cref="JsonException"/> that says the rule.</summary>
public sealed class IdConverter<T> : JsonConverter<T> where T : struct, IId<T>
{
    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => Parse(reader.GetString());

    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WriteStringValue(value.Value);

    public override T ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => Parse(reader.GetString());

    public override void WriteAsPropertyName(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WritePropertyName(value.Value);

    static T Parse(string? text)
    {
        try
        {
            return T.Parse(text ?? throw new JsonException($"Found null where a {typeof(T).Name} was expected."));
        }
        catch (LeanPipeException e)
        {
            throw new JsonException(e.Message, e);
        }
    }
}
