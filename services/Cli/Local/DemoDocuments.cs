using LeanPipe.Cli.Homes;

namespace LeanPipe.Cli.Local;

/// <summary>The documents that come with the program: a stream, a pipeline, its SQL and its sensors.</summary>
static class DemoDocuments
{
    static readonly string Source = Path.Combine(AppContext.BaseDirectory, "Demo", "config");

    /// <summary>Writes them all; what is there under the same names is replaced.</summary>
    public static void WriteTo(HomeFolder home)
    {
        foreach (var file in Directory.EnumerateFiles(Source, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(home.Config, Path.GetRelativePath(Source, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target, overwrite: true);
        }
    }

    public static bool IsEmpty(HomeFolder home) => !Directory.Exists(home.Config) || !Directory.EnumerateFiles(home.Config, "*", SearchOption.AllDirectories).Any();
}
