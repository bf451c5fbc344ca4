using System.Globalization;
using LeanPipe.Contracts;
using LeanPipe.Documents.Yaml;

namespace LeanPipe.Documents.Reading;

/// <summary>Takes a map apart key by key. Every method reports what is wrong and returns null; <see cref="Finish"/> reports the keys that nobody asked for.</summary>
/// <param name="what">What the map describes, for messages: <c>stream</c>, <c>step 'hourly'</c>.</param>
sealed class MapReader(MapNode map, string what, ErrorList errors)
{
    readonly List<string> _known = [];

    public Position At => map.At;

    public bool Has(string key) => map.Entries.Any(e => e.Key.Text == key);

    public YamlNode? Take(string key)
    {
        _known.Add(key);
        return map.Entries.FirstOrDefault(e => e.Key.Text == key)?.Value;
    }

    public YamlNode? Require(string key)
    {
        var node = Take(key);
        if (node is null) errors.Add(map.At, $"The {what} has no '{key}'; it needs one.");
        return node;
    }

    public TextNode? Text(string key, bool required = false) => AsText(required ? Require(key) : Take(key), key);

    public MapReader? Map(string key, string inner) => Take(key) is { } node ? AsMap(node, key, inner) : null;

    public MapReader? AsMap(YamlNode node, string key, string inner)
    {
        if (node is MapNode found) return new(found, inner, errors);
        errors.Add(node.At, $"'{key}' is {node.Shape}; expected a map.");
        return null;
    }

    public TextNode? AsText(YamlNode? node, string key)
    {
        if (node is null) return null;
        if (node is TextNode { IsNull: false } text) return text;
        errors.Add(node.At, $"'{key}' is {node.Shape}; expected a text.");
        return null;
    }

    /// <summary>The texts of a list, without those that are none.</summary>
    public IReadOnlyList<TextNode>? Texts(string key)
    {
        if (Take(key) is not { } node) return null;
        if (node is ListNode list) return [.. list.Items.Select(i => AsText(i, $"an item of {key}")).OfType<TextNode>()];
        errors.Add(node.At, $"'{key}' is {node.Shape}; expected a list such as [a, b].");
        return null;
    }

    public T? Name<T>(string key, bool required = false) where T : struct, IId<T> => Text(key, required) is { } text ? AsName<T>(text, key) : null;

    public T? AsName<T>(TextNode text, string key) where T : struct, IId<T>
    {
        if (Contracts.Name.IsValid(text.Text)) return T.Parse(text.Text);
        errors.Add(text.At, $"'{key}' is '{text.Text}'; expected {Contracts.Name.Rule}.");
        return null;
    }

    public long? Integer(string key, long min, long max)
    {
        if (Text(key) is not { } text) return null;
        if (!text.Quoted && long.TryParse(text.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= min && value <= max) return value;
        errors.Add(text.At, $"'{key}' is '{text.Text}'; expected a whole number from {min} to {max}.");
        return null;
    }

    public double? Number(string key)
    {
        if (Text(key) is not { } text) return null;
        if (!text.Quoted && double.TryParse(text.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value)) return value;
        errors.Add(text.At, $"'{key}' is '{text.Text}'; expected a number.");
        return null;
    }

    public bool? Flag(string key)
    {
        if (Text(key) is not { } text) return null;
        if (!text.Quoted && text.Text is "true" or "false") return text.Text == "true";
        errors.Add(text.At, $"'{key}' is '{text.Text}'; expected true or false.");
        return null;
    }

    public long? Size(string key, long min, long max)
    {
        if (Text(key) is not { } text) return null;
        if (!Quantities.TrySize(text.Text, out var bytes)) errors.Add(text.At, $"'{key}' is '{text.Text}'; expected {Quantities.SizeRule}.");
        else if (bytes < min || bytes > max) errors.Add(text.At, $"'{key}' is '{text.Text}', which is {bytes} bytes; expected {min} to {max} bytes.");
        else return bytes;
        return null;
    }

    public TimeSpan? Duration(string key, TimeSpan max)
    {
        if (Text(key) is not { } text) return null;
        if (!Quantities.TryDuration(text.Text, out var duration)) errors.Add(text.At, $"'{key}' is '{text.Text}'; expected {Quantities.DurationRule}.");
        else if (duration > max) errors.Add(text.At, $"'{key}' is '{text.Text}'; expected at most {max.TotalDays}d.");
        else return duration;
        return null;
    }

    /// <summary>A point in time with its zone.</summary>
    public DateTimeOffset? Instant(string key)
    {
        if (Text(key) is not { } text) return null;
        if (DateTimeOffset.TryParse(text.Text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var instant)) return instant.ToUniversalTime();
        errors.Add(text.At, $"'{key}' is '{text.Text}'; expected an instant such as 2026-01-01T10:00:00Z.");
        return null;
    }

    public T? Choice<T>(string key, IReadOnlyDictionary<string, T> choices) where T : struct
    {
        if (Text(key) is not { } text) return null;
        if (choices.TryGetValue(text.Text, out var value)) return value;
        errors.Add(text.At, $"'{key}' is '{text.Text}'; {Suggestion.For(text.Text, choices.Keys)}");
        return null;
    }

    /// <summary>Reports every key that no method asked for.</summary>
    public void Finish()
    {
        foreach (var (key, _) in map.Entries.Where(e => !_known.Contains(e.Key.Text)))
            errors.Add(key.At, $"Unknown key '{key.Text}' in the {what}; {Suggestion.For(key.Text, _known.Where(k => !Has(k)))}");
    }
}
