using LeanPipe.Documents.Yaml;

namespace LeanPipe.Documents;

/// <summary>Files beside a document. What is not there, or not readable, is an error at the place that names it.</summary>
static class Files
{
    /// <returns>Null when <paramref name="text"/> was read.</returns>
    public static DocumentError? Read(string path, out string text)
    {
        text = "";
        try
        {
            text = File.ReadAllText(path);
            return null;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return new(path, Position.Start.Line, Position.Start.Column, "There is no such file.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new(path, Position.Start.Line, Position.Start.Column, $"The file cannot be read: {e.Message}");
        }
    }

    /// <summary>The path beside a document in <paramref name="folder"/>; null when the name leaves the folder.</summary>
    public static string? Beside(string folder, string name)
    {
        if (Path.IsPathRooted(name) || name.Split('/', '\\').Contains("..")) return null;
        return Path.Combine(folder, name);
    }
}
