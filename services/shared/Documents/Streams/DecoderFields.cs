using LeanPipe.Contracts;
using LeanPipe.Documents.Reading;
using LeanPipe.Documents.Yaml;

namespace LeanPipe.Documents;

/// <summary>Whether what a decoder gives and what the schema wants are the same fields.</summary>
/// <param name="stamped">Fields that the gateway fills.</param>
sealed class DecoderFields(RecordType? schema, IReadOnlyCollection<string> stamped, IReadOnlyList<TextNode> constants, ErrorList errors)
{
    public Field? Find(string name) => schema?.Fields.FirstOrDefault(f => f.Name == name);

    /// <param name="names">Fields that the frame gives, besides the constants.</param>
    /// <param name="otherwise">What a required field is that nothing gives.</param>
    public void Match(IReadOnlyList<TextNode> names, Position at, string otherwise)
    {
        if (schema is null) return;
        var given = Names(names.Concat(constants));
        foreach (var field in schema.Fields.Where(f => f.Required && !given.Contains(f.Name) && !stamped.Contains(f.Name)))
            errors.Add(at, $"The required field '{field.Name}' is {otherwise}; add it to one of them, or mark it '{field.Name}?'.");
    }

    public void MatchConstants()
    {
        if (schema is not null) Names(constants);
    }

    HashSet<string> Names(IEnumerable<TextNode> names)
    {
        var given = new HashSet<string>();
        foreach (var name in names)
        {
            var field = Find(name.Text);
            if (field is null) errors.Add(name.At, $"'{name.Text}' is no field of the schema; {Suggestion.For(name.Text, schema!.Fields.Select(f => f.Name).Except(given))}");
            else if (field.Type is ListType or RecordType) errors.Add(name.At, $"The field '{name.Text}' is a list or a record, which only the json decoder gives.");
            else if (stamped.Contains(name.Text)) errors.Add(name.At, $"The field '{name.Text}' is stamped by the gateway; take it out of the decoder, or out of 'stamp'.");
            if (!given.Add(name.Text)) errors.Add(name.At, $"The field '{name.Text}' is given twice; keep one of them.");
        }
        return given;
    }
}
