using System.Security.Cryptography;
using DuckDB.NET.Data;
using LeanPipe.Contracts;
using LeanPipe.DuckDb;
using LeanPipe.Lake;
using LeanPipe.Tables;

namespace LeanPipe.Integration.Lake;

/// <summary>Publishes the rows of a SELECT as real Parquet, and reads a table's rows back.</summary>
static class RealRows
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>What a step does, in small: the SQL's rows as one Parquet chunk with its statistics, its columns as DESCRIBE says.</summary>
    public static async Task<PublishedTable> PublishSqlAsync(
        IObjectStore store, WindowId window, string sql, TableName? table = null, int revision = 1, PublishMode mode = PublishMode.ReplaceWindow, IReadOnlyList<string>? key = null, string? run = null,
        DateTimeOffset? plannedAt = null, TableWork? work = null, TimeProvider? time = null)
    {
        var scratch = Directory.CreateTempSubdirectory("leanpipe-rows-");
        try
        {
            IReadOnlyList<OutputColumn> columns;
            ParquetFile file;
            ParquetFacts facts;
            using (var session = DuckDbSession.Open(new() { ScratchDirectory = scratch.FullName, Threads = 1 }))
            {
                columns = [.. session.Describe(sql).Select(c => new OutputColumn(c.Name, c.Type))];
                file = session.CopyToParquet(sql, new() { Directory = Path.Combine(scratch.FullName, "out") })[0];
                facts = ParquetFacts.Read(session, [file.Path], columns, Token)[file.Path];
            }
            facts.Rows.ShouldBe(file.Rows);
            var name = run ?? $"{window}-r{revision}";
            var chunk = new ObjectRef($"runs/{name}/hourly/00000/1/part-0.parquet", file.Bytes, file.Rows, Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(file.Path, Token))));
            await store.PutFileAsync(chunk.Key, file.Path, Token);
            return await PublishFixture.PublishAsync(store, window, revision, name, [new(chunk, null, facts.Stats)], mode, columns, table, key: key, plannedAt: plannedAt, work: work, time: time);
        }
        finally
        {
            scratch.Delete(recursive: true);
        }
    }

    /// <summary>A table's rows as one text: <paramref name="select"/> over the view <c>t</c>, rows by '/', columns by ' '.</summary>
    public static async Task<string> RowsAsync(IObjectStore store, string select, TableName? table = null, long? version = null)
    {
        var open = (await DeltaTable.OpenAsync(store, table ?? PublishFixture.Table, Token, version))!;
        var scratch = Directory.CreateTempSubdirectory("leanpipe-rows-");
        try
        {
            var files = new List<string>();
            foreach (var file in open.Files)
            {
                files.Add(Path.Combine(scratch.FullName, $"{files.Count}.parquet"));
                await File.WriteAllBytesAsync(files[^1], (await store.GetAsync(file.Key, Token))!.Value.ToArray(), Token);
            }
            using var session = DuckDbSession.Open(new() { ScratchDirectory = scratch.FullName, Threads = 1 });
            IReadOnlyList<DuckDbColumn> columns = [.. open.Columns.Select(c => new DuckDbColumn(c.Name, c.Type))];
            if (files.Count > 0) session.CreateParquetView("t", files, columns);
            else session.CreateEmptyView("t", columns);
            using var rows = session.Query(select);
            var texts = new List<string>();
            while (rows.Read()) texts.Add(string.Join(' ', Enumerable.Range(0, rows.Names.Count).Select(i => rows.GetValue(i)?.ToString() ?? "-")));
            return string.Join('/', texts);
        }
        finally
        {
            scratch.Delete(recursive: true);
        }
    }

    public static DuckDBConnection Open()
    {
        var duck = new DuckDBConnection("DataSource=:memory:");
        duck.Open();
        return duck;
    }

    public static void Execute(DuckDBConnection duck, string sql)
    {
        using var command = duck.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    public static string Scalar(DuckDBConnection duck, string sql)
    {
        using var command = duck.CreateCommand();
        command.CommandText = sql;
        return (string)command.ExecuteScalar()!;
    }
}
