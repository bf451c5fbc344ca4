using System.Text;
using System.Text.Json;
using LeanPipe.Lake;

namespace LeanPipe.Housekeeping;

/// <summary>The keys of the lake that a document names, wherever in it they stand.</summary>
static class NamesOf
{
    public static bool IsDocument(string key) => key.EndsWith(".json", StringComparison.Ordinal) || key.EndsWith(".ndjson", StringComparison.Ordinal);

    /// <summary>Of JSON or of lines of JSON. A document that is neither names nothing: it is not one of ours.</summary>
    public static IReadOnlyCollection<string> Document(ReadOnlyMemory<byte> bytes)
    {
        var names = new HashSet<string>();
        var reader = new Utf8JsonReader(bytes.Span, new JsonReaderOptions { AllowMultipleValues = true });
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType is not (JsonTokenType.String or JsonTokenType.PropertyName)) continue;
                var text = reader.HasValueSequence ? "" : Encoding.UTF8.GetString(reader.ValueSpan);
                if (text.Contains('\\')) text = reader.GetString()!;
                if (LakeLayout.Prefixes.Any(p => text.StartsWith(p, StringComparison.Ordinal))) names.Add(text);
            }
        }
        catch (JsonException)
        {
            // What was read before the fault still counts: to name too much only keeps more.
            return names;
        }
        return names;
    }
}
