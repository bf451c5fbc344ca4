using System.Text.Json;
using LeanPipe.Lake;

namespace LeanPipe.Gateway.Log;

/// <summary>A range of the log that cannot be read any more. What stood in it may have been acknowledged.</summary>
/// <param name="File">The file that holds the range, or held it.</param>
sealed record LogDamage(long Position, long Bytes, string File, string What)
{
    /// <summary>Stands for the length of a newest file that is gone: more than any file has, so that no position is ever used twice.</summary>
    public const long UnknownBytes = 1L << 40;

    public override string ToString() => $"{(Bytes >= UnknownBytes ? "all" : $"{Bytes} bytes")} from position {Position} on, {What} ('{File}')";
}

/// <summary>The damage that somebody has accepted, as <c>damage.json</c> in the log's folder, and the files it was found in, in <c>quarantine</c> below it.</summary>
sealed class Quarantine(string folder)
{
    string List => Path.Combine(folder, "damage.json");

    string Kept => Path.Combine(folder, "quarantine");

    public List<LogDamage> Accepted => File.Exists(List) ? JsonSerializer.Deserialize(File.ReadAllBytes(List), LogJson.Default.ListLogDamage)! : [];

    /// <summary>Whether a person has still to look at something.</summary>
    public bool HoldsFiles => Directory.Exists(Kept) && Directory.EnumerateFiles(Kept).Any();

    /// <summary>Durable when it returns, so that the next start does not ask again.</summary>
    public void Accept(IEnumerable<LogDamage> damages)
    {
        var all = Accepted.UnionBy(damages, d => (d.Position, d.Bytes)).ToList();
        var made = List + ".new";
        using (var file = File.OpenHandle(made, FileMode.Create, FileAccess.Write))
        {
            RandomAccess.Write(file, JsonSerializer.SerializeToUtf8Bytes(all, LogJson.Default.ListLogDamage), 0);
            RandomAccess.FlushToDisk(file);
        }
        File.Move(made, List, overwrite: true);
        DurableFolder.Sync(folder);
    }

    /// <summary>Takes a file out of the log; its bytes stay for whoever wants to look.</summary>
    public void Keep(string path)
    {
        Directory.CreateDirectory(Kept);
        File.Move(path, Path.Combine(Kept, Path.GetFileName(path)), overwrite: true);
        DurableFolder.Sync(Kept);
        DurableFolder.Sync(folder);
    }
}
