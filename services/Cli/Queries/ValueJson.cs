using System.Collections;
using System.Numerics;
using System.Text.Json;
using LeanPipe.Cli.Output;

namespace LeanPipe.Cli.Queries;

/// <summary>A DuckDB value as JSON: numbers stay numbers where JSON readers keep them exact, everything else is text.</summary>
static class ValueJson
{
    public static void Write(Utf8JsonWriter json, object? value)
    {
        switch (value)
        {
            case null: json.WriteNullValue(); break;
            case bool b: json.WriteBooleanValue(b); break;
            case sbyte or short or int or long: json.WriteNumberValue(Convert.ToInt64(value, null)); break;
            case byte or ushort or uint or ulong: json.WriteNumberValue(Convert.ToUInt64(value, null)); break;
            case decimal d: json.WriteNumberValue(d); break;
            case BigInteger big: json.WriteRawValue(big.ToString(null, null)); break;
            case float f when float.IsFinite(f): json.WriteNumberValue(f); break;
            case double d when double.IsFinite(d): json.WriteNumberValue(d); break;
            case string s: json.WriteStringValue(s); break;
            case DateTime t: json.WriteStringValue(t.ToString(t.Kind == DateTimeKind.Utc ? "yyyy-MM-dd'T'HH:mm:ss.FFFFFF'Z'" : "yyyy-MM-dd'T'HH:mm:ss.FFFFFF", null)); break;
            case byte[] bytes: json.WriteBase64StringValue(bytes); break;
            case IDictionary map:
                json.WriteStartObject();
                foreach (DictionaryEntry entry in map)
                {
                    json.WritePropertyName(TextTable.Plain(entry.Key));
                    Write(json, entry.Value);
                }
                json.WriteEndObject();
                break;
            case IEnumerable list:
                json.WriteStartArray();
                foreach (var item in list) Write(json, item);
                json.WriteEndArray();
                break;
            default: json.WriteStringValue(TextTable.Plain(value)); break;
        }
    }
}
