using System.Text.Json;
using System.Text.RegularExpressions;

namespace LeanPipe.Sidecar.PubSub;

/// <summary>The part of routing rules that is understood: comparisons of event fields with texts, all of which must hold.</summary>
/// <remarks>The official sidecar takes the whole Common Expression Language. A rule beyond this part never matches.</remarks>
static partial class RouteRule
{
    public static bool IsUnderstood(string match) => Terms(match) is not null;

    public static bool Matches(string match, JsonElement cloudEvent) => Terms(match) is { } terms && terms.All(term =>
    {
        // Compared as bytes: a publisher's data may be no UTF-8, which has no string.
        var isEqual = Field(cloudEvent, term.Path) is { ValueKind: JsonValueKind.String } field && field.ValueEquals(term.Text);
        return isEqual == term.WantsEqual;
    });

    static List<(string Path, bool WantsEqual, string Text)>? Terms(string match)
    {
        var terms = new List<(string, bool, string)>();
        foreach (var part in match.Split("&&"))
        {
            var term = Comparison().Match(part);
            if (!term.Success)
                return null;
            terms.Add((term.Groups["path"].Value, term.Groups["op"].Value == "==", term.Groups["text"].Value));
        }

        return terms;
    }

    static JsonElement? Field(JsonElement cloudEvent, string path)
    {
        var at = cloudEvent;
        foreach (var name in path.Split('.'))
        {
            if (at.ValueKind != JsonValueKind.Object || !at.TryGetProperty(name, out at))
                return null;
        }

        return at;
    }

    [GeneratedRegex("""^\s*event\.(?<path>\w+(\.\w+)*)\s*(?<op>==|!=)\s*(?<quote>["'])(?<text>[^"'\\]*)\k<quote>\s*$""", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Comparison();
}
