using LeanPipe.DuckDb;

namespace LeanPipe.Unit.DuckDb;

/// <summary>A folder with a scratch folder in it, and sessions over that.</summary>
sealed class SessionFolder : IDisposable
{
    readonly DirectoryInfo _root = Directory.CreateTempSubdirectory();

    public SessionFolder() => Directory.CreateDirectory(Scratch);

    public string Scratch => Path.Combine(_root.FullName, "scratch");

    public string Outside(string name) => Path.Combine(_root.FullName, name);

    public string Inside(string name) => Path.Combine(Scratch, name);

    public DuckDbSession Open(params string[] readable) => Open(new DuckDbSessionOptions { ScratchDirectory = Scratch, ReadablePaths = readable, Threads = 2 });

    public static DuckDbSession Open(DuckDbSessionOptions options) => DuckDbSession.Open(options);

    public void Dispose() => _root.Delete(recursive: true);
}

static class SessionReading
{
    /// <summary>All rows, as the values of <see cref="DuckDbRows.GetValue"/>.</summary>
    public static List<object?[]> Rows(this DuckDbSession session, string select)
    {
        using var rows = session.Query(select);
        var read = new List<object?[]>();
        while (rows.Read())
            read.Add([.. Enumerable.Range(0, rows.Names.Count).Select(rows.GetValue)]);
        return read;
    }

    public static object? Scalar(this DuckDbSession session, string select) => session.Rows(select).ShouldHaveSingleItem()[0];
}
