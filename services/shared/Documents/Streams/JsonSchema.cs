using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using LeanPipe.Contracts;

namespace LeanPipe.Documents;

/// <summary>A stream's records as JSON Schema (draft 2020-12): for whoever writes a sender. It describes records of the json decoder; what it cannot say stands in <c>description</c>.</summary>
public static class JsonSchema
{
    static readonly JsonWriterOptions Readable = new() { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Write(StreamDefinition stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, Readable))
        {
            json.WriteStartObject();
            json.WriteString("$schema", "https://json-schema.org/draft/2020-12/schema");
            json.WriteString("$id", $"urn:leanpipe:stream:{stream.SchemaId}");
            json.WriteString("title", stream.SchemaId);
            Record(json, stream.Schema with { Fields = [.. stream.Schema.Fields.Where(f => !stream.Stamps.ContainsKey(f.Name))] }, stream.EventTime);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.ToArray()) + "\n";
    }

    static void Record(Utf8JsonWriter json, RecordType type, string? eventTime = null)
    {
        json.WriteString("type", "object");
        json.WriteStartObject("properties");
        foreach (var field in type.Fields)
            foreach (var name in (field.Aliases ?? []).Prepend(field.Name))
            {
                json.WriteStartObject(name);
                Field(json, field, name == field.Name ? field.Name == eventTime ? "The event time." : null : $"Another name of '{field.Name}'; one of them at a time.");
                json.WriteEndObject();
            }
        json.WriteEndObject();
        Required(json, type);
        if (type.Extra == ExtraFields.Reject) json.WriteBoolean("additionalProperties", false);
    }

    static void Required(Utf8JsonWriter json, RecordType type)
    {
        json.WriteStartArray("required");
        foreach (var field in type.Fields.Where(f => f is { Required: true, Aliases: null })) json.WriteStringValue(field.Name);
        json.WriteEndArray();
        var aliased = type.Fields.Where(f => f.Aliases is not null).ToList();
        if (aliased.Count == 0) return;
        json.WriteStartArray("allOf");
        foreach (var field in aliased)
        {
            // A required field by exactly one of its names; an optional one by none or one.
            json.WriteStartObject();
            json.WriteStartArray("oneOf");
            string[] names = [field.Name, .. field.Aliases!];
            foreach (var name in names) Names(json, "required", [name]);
            if (!field.Required)
            {
                json.WriteStartObject();
                json.WriteStartObject("not");
                json.WriteStartArray("anyOf");
                foreach (var name in names) Names(json, "required", [name]);
                json.WriteEndArray();
                json.WriteEndObject();
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    static void Names(Utf8JsonWriter json, string key, string[] names)
    {
        json.WriteStartObject();
        json.WriteStartArray(key);
        foreach (var name in names) json.WriteStringValue(name);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    static void Field(Utf8JsonWriter json, Field field, string? description)
    {
        if (field.Nullable)
        {
            json.WriteStartArray("anyOf");
            json.WriteStartObject();
            Type(json, field.Type, null);
            json.WriteEndObject();
            json.WriteStartObject();
            json.WriteString("type", "null");
            json.WriteEndObject();
            json.WriteEndArray();
            if (description is not null) json.WriteString("description", description);
        }
        else Type(json, field.Type, description);
        if (field.Default is null) return;
        json.WritePropertyName("default");
        json.WriteRawValue(field.Default);
    }

    static void Type(Utf8JsonWriter json, FieldType type, string? description)
    {
        var text = description;
        switch (type)
        {
            case Int64Type t:
                json.WriteString("type", "integer");
                json.WriteNumber("minimum", t.Min);
                json.WriteNumber("maximum", t.Max);
                text = Join(text, "Written without fraction and exponent.");
                break;
            case Float64Type t:
                json.WriteString("type", "number");
                if (t.Min > double.MinValue) json.WriteNumber("minimum", t.Min);
                if (t.Max < double.MaxValue) json.WriteNumber("maximum", t.Max);
                break;
            case DecimalType t:
                json.WriteStartArray("type");
                json.WriteStringValue("number");
                json.WriteStringValue("string");
                json.WriteEndArray();
                json.WriteString("pattern", $"^-?(0|[1-9][0-9]*)(\\.[0-9]+)?$");
                text = Join(text, string.Create(CultureInfo.InvariantCulture, $"A decimal of {t.Precision} digits, {t.Scale} of them behind the point; with more than 15 digits in a string."));
                break;
            case BoolType:
                json.WriteString("type", "boolean");
                break;
            case StringType t:
                json.WriteString("type", "string");
                if (t.MinLength > 0) json.WriteNumber("minLength", t.MinLength);
                if (t.MaxLength < int.MaxValue) json.WriteNumber("maxLength", t.MaxLength);
                if (t.Pattern is not null) json.WriteString("pattern", t.Pattern);
                break;
            case BytesType t:
                json.WriteString("type", "string");
                json.WriteString("contentEncoding", "base64");
                if (t.MaxLength < int.MaxValue) json.WriteNumber("maxLength", (t.MaxLength + 2L) / 3 * 4);
                break;
            case TimestampType { Unit: TimestampUnit.Text } t:
                json.WriteString("type", "string");
                if (t.Format is null) json.WriteString("format", "date-time");
                else text = Join(text, $"A time of the .NET format '{t.Format}', UTC when it has no zone.");
                break;
            case TimestampType t:
                json.WriteString("type", t.Unit == TimestampUnit.Seconds ? "number" : "integer");
                text = Join(text, $"{t.Unit} since the Unix epoch.");
                break;
            case EnumType t:
                json.WriteStartArray("enum");
                foreach (var value in t.Values) json.WriteStringValue(value);
                json.WriteEndArray();
                break;
            case ListType t:
                json.WriteString("type", "array");
                json.WriteStartObject("items");
                Type(json, t.Item, null);
                json.WriteEndObject();
                if (t.MinItems > 0) json.WriteNumber("minItems", t.MinItems);
                if (t.MaxItems < int.MaxValue) json.WriteNumber("maxItems", t.MaxItems);
                break;
            case RecordType t:
                Record(json, t);
                break;
            case UnionType t:
                json.WriteStartArray("anyOf");
                foreach (var member in t.Members)
                {
                    json.WriteStartObject();
                    Type(json, member, null);
                    json.WriteEndObject();
                }
                json.WriteEndArray();
                break;
        }
        if (text is not null) json.WriteString("description", text);
    }

    static string Join(string? first, string second) => first is null ? second : $"{first} {second}";
}
