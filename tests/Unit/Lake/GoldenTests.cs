using System.Text;
using LeanPipe.Unit.Repository;

namespace LeanPipe.Unit.Lake;

/// <summary>The frozen bytes of every document: what older versions wrote must stay readable, and what we write must not change by accident.</summary>
public sealed class GoldenTests
{
    public static TheoryData<string> Names => new(GoldenSamples.ReadAndWrite.Keys);

    [Theory]
    [MemberData(nameof(Names))]
    public void What_is_written_equals_the_frozen_bytes(string name)
    {
        if (Environment.GetEnvironmentVariable("LEANPIPE_WRITE_GOLDEN") == "1") File.WriteAllBytes(Golden(name), GoldenSamples.Write(name));
        Encoding.UTF8.GetString(GoldenSamples.Write(name)).ShouldBe(File.ReadAllText(Golden(name)));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_frozen_bytes_read_back_whole(string name)
    {
        var frozen = File.ReadAllBytes(Golden(name));
        Encoding.UTF8.GetString(GoldenSamples.ReadAndWrite[name](frozen)).ShouldBe(Encoding.UTF8.GetString(frozen));
    }

    static string Golden(string name) => Path.Combine(Tree.Root, "tests", "golden", "lake", $"{name}.json");
}
