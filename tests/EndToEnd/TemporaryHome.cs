namespace LeanPipe.EndToEnd;

/// <summary>A home folder of one test, gone with it.</summary>
sealed class TemporaryHome : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("leanpipe-e2e-").FullName;

    public string Lake => System.IO.Path.Combine(Path, "lake");

    /// <summary>Copies documents from <c>tests/pipelines</c> into the home's configuration, every fixed port replaced by any free one.</summary>
    public void Configure(string caseName)
    {
        var source = SourceTree.In("tests", "pipelines", caseName, "config");
        foreach (var file in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories))
        {
            var target = System.IO.Path.Combine(Path, "config", System.IO.Path.GetRelativePath(source, file));
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(target)!);
            var text = File.ReadAllText(file);
            File.WriteAllText(target, System.Text.RegularExpressions.Regex.Replace(text, @"(?m)^listen: (\S+):\d+$", "listen: $1:0"));
        }
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
