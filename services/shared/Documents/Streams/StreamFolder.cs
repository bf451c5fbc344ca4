using System.Globalization;
using System.Text.RegularExpressions;
using LeanPipe.Contracts;
using LeanPipe.Documents.Reading;
using LeanPipe.Documents.Yaml;

namespace LeanPipe.Documents;

/// <summary>A stream's documents, oldest first; one for <c>streams/{name}.yaml</c>, all versions for <c>streams/{name}/v1.yaml, v2.yaml, …</c>.</summary>
/// <param name="File">Of the newest.</param>
/// <param name="Text">Of the newest, as it was read: whether a document has changed.</param>
public sealed record LoadedStream(string File, string Text, IReadOnlyList<StreamDefinition> Versions)
{
    public StreamDefinition Current => Versions[^1];
}

/// <summary>The stream documents of a configuration folder.</summary>
static partial class StreamFolder
{
    /// <summary>Every stream whose documents are right, with what is wrong about the others.</summary>
    public static IReadOnlyList<LoadedStream> Load(string folder, List<DocumentError> errors)
    {
        var streams = new List<LoadedStream>();
        folder = Path.Combine(folder, "streams");
        if (!Directory.Exists(folder)) return streams;
        foreach (var file in Directory.EnumerateFiles(folder, "*.yaml").Order(StringComparer.Ordinal))
        {
            var result = StreamDocument.Load(file, out _, out var text);
            errors.AddRange(result.Errors);
            if (result.Value is { } stream) streams.Add(new(file, text, [stream]));
        }
        // A mounted ConfigMap keeps the files that its entries link to in folders whose names begin with dots.
        foreach (var versions in Directory.EnumerateDirectories(folder).Where(d => Path.GetFileName(d)[0] != '.').Order(StringComparer.Ordinal))
            if (Versions(versions, errors) is { } stream) streams.Add(stream);
        return streams;
    }

    /// <summary>The versions below one folder; null when there is none, or one is wrong.</summary>
    public static LoadedStream? Versions(string folder, List<DocumentError> errors)
    {
        var before = errors.Count;
        var newest = "";
        var versions = new List<(string File, StreamDefinition Definition, MapNode Root)>();
        foreach (var (file, number) in Numbered(folder, errors))
        {
            var result = StreamDocument.Load(file, out var root, out newest);
            errors.AddRange(result.Errors);
            if (result.Value is { } stream) versions.Add((file, stream with { Version = number }, root!));
            if (result.Value is { } named && named.Name.Value != Path.GetFileName(folder))
                errors.Add(new(file, 1, 1, $"The stream '{named.Name}' stands in the folder '{Path.GetFileName(folder)}'; expected a folder of its name."));
        }
        if (errors.Count == before)
            foreach (var (older, newer) in versions.Zip(versions.Skip(1)))
                errors.AddRange(Breaks(older.Definition, newer.Definition, newer.File, newer.Root));
        return errors.Count > before || versions.Count == 0 ? null : new(versions[^1].File, newest, [.. versions.Select(v => v.Definition)]);
    }

    static IEnumerable<(string File, int Number)> Numbered(string folder, List<DocumentError> errors)
    {
        var numbered = new List<(string, int)>();
        foreach (var file in Directory.EnumerateFiles(folder, "*.yaml"))
        {
            var match = VersionName().Match(Path.GetFileName(file));
            if (match.Success && int.TryParse(match.Groups["number"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var number)) numbered.Add((file, number));
            else errors.Add(new(file, 1, 1, "The file is no version of a stream; expected v1.yaml, v2.yaml and so on in the stream's folder."));
        }
        return numbered.OrderBy(n => n.Item2);
    }

    static IEnumerable<DocumentError> Breaks(StreamDefinition older, StreamDefinition newer, string file, MapNode root)
    {
        foreach (var found in SchemaCompatibility.Breaks(older, newer, $"v{older.Version}", $"v{newer.Version}"))
        {
            var at = SchemaPlaces.Find(root, found.Path);
            yield return new(file, at.Line, at.Column, $"{found} ({newer.Compatibility.ToString().ToLowerInvariant()} compatibility with v{older.Version} is broken; undo it, or say 'compatibility: none'.)");
        }
    }

    [GeneratedRegex("^v(?<number>[1-9][0-9]{0,8})\\.yaml$", RegexOptions.CultureInvariant)]
    private static partial Regex VersionName();
}
