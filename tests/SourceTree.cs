namespace LeanPipe.Tests;

/// <summary>The repository that these tests were built from.</summary>
static class SourceTree
{
    public static string Root { get; } = Find();

    public static string In(params ReadOnlySpan<string> parts) => Path.Combine([Root, .. parts]);

    static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "LeanPipe.Cloud.sln"))) return folder.FullName;
        throw new InvalidOperationException($"No LeanPipe.Cloud.sln above {AppContext.BaseDirectory}.");
    }
}
