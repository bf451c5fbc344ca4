using System.Text.RegularExpressions;
using LeanPipe.Documents;
using LeanPipe.Gateway.Validation;
using LeanPipe.Unit.Repository;

namespace LeanPipe.Unit.Documents;

/// <summary>What the readers of the stream document know, and its reference, are the same words.</summary>
public sealed partial class StreamReferenceTests
{
    [Fact]
    public void Every_key_and_every_word_of_the_readers_is_in_the_reference()
    {
        var reference = Tree.Read("docs/specs/stream-document.md");
        var words = Tree.Files.Where(f => f.StartsWith("services/shared/Documents/Streams/", StringComparison.Ordinal) && f.EndsWith("Reader.cs", StringComparison.Ordinal))
            .Append("services/shared/Documents/Streams/StreamDocument.cs")
            .SelectMany(f => Taken().Matches(Tree.Read(f)).Concat(Chosen().Matches(Tree.Read(f))))
            .Select(m => m.Groups["word"].Value).Distinct().ToList();
        words.Count.ShouldBeGreaterThan(60);
        words.Where(w => !Word(w).IsMatch(reference)).ShouldBeEmpty();
    }

    [Fact]
    public void Every_reject_code_is_in_the_wire_specification()
    {
        var wire = Tree.Read("docs/specs/wire.md");
        Enum.GetValues<RejectCode>().Where(c => c != RejectCode.None).Select(c => c.Text()).Where(c => !wire.Contains($"`{c}`", StringComparison.Ordinal)).ShouldBeEmpty();
    }

    [Fact]
    public void The_JSON_Schema_of_a_stream_is_as_frozen()
    {
        var stream = StreamDocument.Load(Path.Combine(Tree.Root, "tests/golden/schema/everything.yaml")).Require();
        var found = JsonSchema.Write(stream);
        var golden = Path.Combine(Tree.Root, "tests/golden/schema/everything.schema.json");
        if (Environment.GetEnvironmentVariable("LEANPIPE_WRITE_GOLDEN") == "1") File.WriteAllText(golden, found);
        found.ShouldBe(File.ReadAllText(golden));
    }

    /// <summary>In code style, alone or as a part of it.</summary>
    static Regex Word(string word) => new($"`[^`\n]*(?<![a-z0-9_]){Regex.Escape(word)}(?![a-z0-9_])[^`\n]*`|^    {Regex.Escape(word)}", RegexOptions.Multiline);

    [GeneratedRegex("\\.(Take|Require|Text|Texts|Flag|Integer|Number|Size|Duration|Choice|Map|Has|Name<StreamName>)\\(\"(?<word>[a-z0-9_]+)\"")]
    private static partial Regex Taken();

    [GeneratedRegex("\\[\"(?<word>[a-z0-9_]+)\"\\] = ")]
    private static partial Regex Chosen();
}
