namespace LeanPipe.StepRunner;

/// <summary>This attempt's folder: downloaded inputs, DuckDB's spill, finished chunks. Gone when the process ends in any way that lets it run code.</summary>
internal sealed class Scratch : IDisposable
{
    /// <param name="parent">Made when missing, and kept; null is the system's temporary folder.</param>
    public Scratch(string? parent)
    {
        // Unique, so that two attempts on one machine never meet.
        Root = parent is null
            ? Directory.CreateTempSubdirectory("steprunner-").FullName
            : Directory.CreateDirectory(Path.Combine(Path.GetFullPath(parent), $"steprunner-{Path.GetRandomFileName()}")).FullName;
        Inputs = Directory.CreateDirectory(Path.Combine(Root, "in")).FullName;
        Chunks = Path.Combine(Root, "out");
    }

    public string Root { get; }

    public string Inputs { get; }

    /// <summary>Made by whoever writes the first chunk.</summary>
    public string Chunks { get; }

    /// <summary>What lies in it now, in bytes.</summary>
    public long Bytes()
    {
        var sum = 0L;
        foreach (var file in new DirectoryInfo(Root).EnumerateFiles("*", SearchOption.AllDirectories))
        {
            try
            {
                sum += file.Length;
            }
            catch (FileNotFoundException)
            {
                // DuckDB removes spill files as it goes; this one went between being listed and being measured.
                continue;
            }
        }
        return sum;
    }

    public void Dispose()
    {
        if (Directory.Exists(Root)) Directory.Delete(Root, recursive: true);
    }
}
