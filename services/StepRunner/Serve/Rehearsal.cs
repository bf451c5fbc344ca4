using System.Text;
using LeanPipe.DuckDb;
using LeanPipe.Lake;

namespace LeanPipe.StepRunner;

/// <summary>A task of one row in a lake of its own, run before the real one comes: by then code is loaded and compiled, and the engine has been open once.</summary>
internal static class Rehearsal
{
    const string Input = "raw/rehearsal.ndjson";
    const string Key = "runs/rehearsal/rehearsal/00000/task.json";

    /// <summary>Of a real lake: no such object is ever made, and asking for it opens the connection.</summary>
    const string Nothing = "index/rehearsal";

    static readonly byte[] Row = "{\"one\":1}\n"u8.ToArray();

    static readonly string Task = $$$"""
        {"version":1,"run":"rehearsal","pipeline":"rehearsal","window":"2026-01-01","step":"rehearsal","task":"00000",
         "inputs":[{"name":"rows","format":"ndjson","columns":[{"name":"one","read_as":"BIGINT","type":"BIGINT"}],
                    "objects":[{"key":"{{{Input}}}","bytes":{{{Row.Length}}},"rows":1,"sha256":""}]}],
         "sql":"SELECT one FROM rows","output":{"chunk_bytes":1048576},
         "limits":{"threads":1,"memory_bytes":67108864,"scratch_bytes":67108864,"timeout":"00:01:00"}}
        """;

    /// <returns>The lake that the real task will use; null when it cannot be opened, which the task then says.</returns>
    /// <exception cref="IOException">The temporary folder is of no use.</exception>
    public static async Task<IObjectStore?> RunAsync(LakeOptions lake)
    {
        using var scratch = new Scratch(null);
        var stage = ObjectStores.Open(new() { Root = Path.Combine(scratch.Root, "lake") });
        await stage.PutAsync(Input, Row, CancellationToken.None);
        await stage.PutAsync(Key, Encoding.UTF8.GetBytes(Task), CancellationToken.None);
        var spec = await TaskReader.ReadAsync(stage, Key, CancellationToken.None);
        using var engine = new DuckDbStart();
        await new StepTask(stage, spec, 1, scratch, new Progress(TextWriter.Null, TimeProvider.System), TimeProvider.System, engine).RunAsync(CancellationToken.None);
        var real = ObjectStores.Open(lake);
        await real.SizeAsync(Nothing, CancellationToken.None);
        return real;
    }
}
