using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using LeanPipe.Lake;

namespace LeanPipe.Housekeeping;

/// <summary>The keys of the lake that a document names, wherever in it they stand.</summary>
static class NamesOf
{
    const int Sha256Digits = 64;

    public static bool IsDocument(string key) => (key.EndsWith(".json", StringComparison.Ordinal) || key.EndsWith(".ndjson", StringComparison.Ordinal)) && !IsFileOfARun(key);

    /// <summary>Of JSON or of lines of JSON.</summary>
    /// <param name="fault">Why it is neither, and none of ours; null when it is one.</param>
    public static IReadOnlyCollection<string> Document(ReadOnlyMemory<byte> bytes, out string? fault)
    {
        var names = new HashSet<string>();
        fault = bytes.IsEmpty ? "It is empty." : !Utf8.IsValid(bytes.Span) ? "It is not UTF-8." : null;
        var reader = new Utf8JsonReader(bytes.Span, new JsonReaderOptions { AllowMultipleValues = true });
        try
        {
            while (reader.Read())
            {
                if (reader.CurrentDepth == 0 && reader.TokenType is not (JsonTokenType.StartObject or JsonTokenType.EndObject)) fault ??= "It holds something else than a JSON object.";
                if (reader.TokenType is not (JsonTokenType.String or JsonTokenType.PropertyName)) continue;
                var text = reader.HasValueSequence ? "" : Encoding.UTF8.GetString(reader.ValueSpan);
                if (text.Contains('\\')) text = reader.GetString()!;
                if (LakeLayout.Prefixes.Any(p => text.StartsWith(p, StringComparison.Ordinal))) names.Add(text);
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // What was read before the fault still counts: to name too much only keeps more.
            fault ??= e.Message;
        }
        return names;
    }

    /// <summary>A user's file, <c>runs/{run}/files/{sha256}.json</c>: what stands in it is data.</summary>
    static bool IsFileOfARun(string key) =>
        key.Split('/') is [_, _, "files", { Length: > Sha256Digits } name] && key.StartsWith(LakeLayout.Runs, StringComparison.Ordinal) && name.AsSpan(0, Sha256Digits).IndexOfAnyExcept("0123456789abcdef") < 0;
}
