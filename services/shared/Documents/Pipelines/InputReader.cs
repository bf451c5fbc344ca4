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
            case MapNode { Entries.Count: 1 } map:
                var reader = new MapReader(map, $"input '{alias}'", errors);
                var stream = reader.Name<StreamName>("stream");
                var table = reader.Name<TableName>("table");
                var file = reader.Text("file");
                reader.Finish();
                if (stream is { } s) return new StreamInput(s);
                if (table is { } t) return new TableInput(t);
                return file is null ? null : BesideDocument(file, folder, errors);
            default:
                errors.Add(node.At, $"The input '{alias}' is {node.Shape}; expected a step's name, or one of {{ stream: … }}, {{ table: … }}, {{ file: … }}.");
                return null;
        }
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
