using LeanPipe.Documents;
using LeanPipe.Unit.Repository;

namespace LeanPipe.Unit.Documents;

/// <summary>Every folder below tests/golden/documents is a bad document (or a folder of them) and the errors it must give.</summary>
public sealed class GoldenErrorTests
{
    static readonly string Folder = Path.Combine(Tree.Root, "tests", "golden", "documents");

    public static TheoryData<string> Cases => [.. Directory.EnumerateDirectories(Folder).Select(d => Path.GetFileName(d)!).Order(StringComparer.Ordinal)];

    [Theory, MemberData(nameof(Cases))]
    public void A_bad_document_gives_every_error_with_its_place(string name)
    {
        var folder = Path.Combine(Folder, name);
        var found = string.Concat(Errors(folder).Select(e => e.ToString().Replace(folder + "/", "", StringComparison.Ordinal) + "\n"));
        var expected = Path.Combine(folder, "errors.txt");
        if (Environment.GetEnvironmentVariable("LEANPIPE_WRITE_GOLDEN") == "1") File.WriteAllText(expected, found);
        found.ShouldBe(File.ReadAllText(expected));
    }

    static IReadOnlyList<DocumentError> Errors(string folder) =>
        File.Exists(Path.Combine(folder, "stream.yaml")) ? StreamDocument.Load(Path.Combine(folder, "stream.yaml")).Errors
        : File.Exists(Path.Combine(folder, "pipeline.yaml")) ? PipelineDocument.Load(Path.Combine(folder, "pipeline.yaml")).Errors
        : ConfigFolder.Load(folder).Errors;
}
