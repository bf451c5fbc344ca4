using LeanPipe.Documents.Reading;
using LeanPipe.Documents.Yaml;

namespace LeanPipe.Documents;

/// <summary>What a file of unknown kind means to be.</summary>
public static class DocumentFile
{
    /// <summary>Whether a document has a key that only pipelines have. A file that cannot be read is no pipeline; loading it as a stream says why.</summary>
    public static bool IsPipeline(string path)
    {
        if (Files.Read(path, out var text) is not null) return false;
        var root = YamlReader.ReadMap(text, new(path));
        return root is not null && root.Entries.Any(e => e.Key.Text is "pipeline" or "steps") && root.Entries.All(e => e.Key.Text is not ("stream" or "schema"));
    }
}
