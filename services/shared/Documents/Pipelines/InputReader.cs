using LeanPipe.Contracts;
using LeanPipe.Documents.Reading;
using LeanPipe.Documents.Yaml;

namespace LeanPipe.Documents;

/// <summary>A step's inputs, in the order of the document: a text names a step, a map has one key that says the kind.</summary>
static class InputReader
{
    static readonly string[] Endings = [".csv", ".ndjson", ".parquet"];

    public static OrderedDictionary<string, InputDefinition> Read(YamlNode? node, IReadOnlyList<string> steps, string folder, ErrorList errors)
    {
        var inputs = new OrderedDictionary<string, InputDefinition>();
        if (node is null) return inputs;
        if (node is not MapNode { Entries.Count: > 0 } map)
        {
            errors.Add(node.At, $"'inputs' is {(node is MapNode ? "empty" : node.Shape)}; expected a map of view names to inputs.");
            return inputs;
        }
        foreach (var (key, value) in map.Entries)
        {
            // A check reads the step's own result under this name.
            if (key.Text == "output") errors.Add(key.At, "An input cannot be named 'output', which is the step's own result in checks; choose another name.");
            else if (!Name.IsValid(key.Text) || key.Text.Contains('-', StringComparison.Ordinal))
                errors.Add(key.At, $"The input's name is '{key.Text}'; expected {Name.Rule.Replace("digits, '_' and '-'", "digits and '_'", StringComparison.Ordinal)}.");
            if (Input(key.Text, value, steps, folder, errors) is { } input) inputs.TryAdd(key.Text, input);
        }
        return inputs;
    }

    static InputDefinition? Input(string alias, YamlNode node, IReadOnlyList<string> steps, string folder, ErrorList errors)
    {
        switch (node)
        {
            case TextNode { IsNull: false } step when steps.Contains(step.Text):
                return Name.IsValid(step.Text) ? new StepInput(new(step.Text)) : null;
            case TextNode { IsNull: false } step:
                errors.Add(step.At, $"The input '{alias}' reads '{step.Text}', which is no step of this pipeline; {Suggestion.For(step.Text, steps)}");
                return null;
            case MapNode { Entries.Count: > 0 } map:
                var reader = new MapReader(map, $"input '{alias}'", errors);
                var stream = reader.Name<StreamName>("stream");
                var last = reader.Duration("last", TimeSpan.FromDays(3660));
                var table = reader.Name<TableName>("table");
                var version = reader.Integer("version", 0, long.MaxValue);
                var asOf = reader.Instant("as_of");
                var file = reader.Text("file");
                var files = reader.Text("files");
                reader.Finish();
                return One(alias, map, reader, errors) switch
                {
                    "stream" => stream is { } s ? new StreamInput(s, last) : null,
                    "table" => table is { } t ? new TableInput(t, version, asOf) : null,
                    "file" => file is null ? null : BesideDocument(file, folder, errors),
                    "files" => files is null ? null : InLake(files, errors),
                    _ => null,
                };
            default:
                errors.Add(node.At, $"The input '{alias}' is {node.Shape}; expected a step's name, or one of {{ stream: … }}, {{ table: … }}, {{ file: … }}, {{ files: … }}.");
                return null;
        }
    }

    /// <summary>The one key that says the kind, when the others go with it.</summary>
    static string? One(string alias, MapNode node, MapReader reader, ErrorList errors)
    {
        var kinds = ((string[])["stream", "table", "file", "files"]).Where(reader.Has).ToList();
        if (kinds.Count != 1) errors.Add(node.At, $"The input '{alias}' needs one of 'stream', 'table', 'file' and 'files', or a step's name.");
        if (reader.Has("last") && !kinds.Contains("stream")) errors.Add(node.At, "'last' goes with 'stream'; remove it.");
        if ((reader.Has("version") || reader.Has("as_of")) && !kinds.Contains("table")) errors.Add(node.At, "'version' and 'as_of' go with 'table'; remove them.");
        if (reader.Has("version") && reader.Has("as_of")) errors.Add(node.At, "'version' and 'as_of' both say which version of the table; keep one of them.");
        return kinds.Count == 1 ? kinds[0] : null;
    }

    static LakeFilesInput? InLake(TextNode files, ErrorList errors)
    {
        const string Folder = "imports/";
        var ending = Path.GetExtension(files.Text.EndsWith(".gz", StringComparison.Ordinal) ? files.Text[..^3] : files.Text);
        if (!files.Text.StartsWith(Folder, StringComparison.Ordinal)) errors.Add(files.At, $"'files' is '{files.Text}'; expected a pattern of keys below {Folder}, which is where files of others lie in a lake.");
        else if (!Endings.Contains(ending)) errors.Add(files.At, $"'files' is '{files.Text}'; expected a pattern that ends in .csv, .ndjson (either with .gz) or .parquet.");
        else return new(files.Text);
        return null;
    }

    static FileInput? BesideDocument(TextNode file, string folder, ErrorList errors)
    {
        if (!Endings.Contains(Path.GetExtension(file.Text))) errors.Add(file.At, $"'file' is '{file.Text}'; expected a file that ends in .csv, .ndjson or .parquet.");
        else if (Files.Beside(folder, file.Text) is not { } path) errors.Add(file.At, $"'file' is '{file.Text}'; expected a file in the document's own folder.");
        else if (!File.Exists(path)) errors.Add(file.At, $"The file '{file.Text}' is named here. There is no such file beside the document.");
        else return new(file.Text);
        return null;
    }
}
