using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Orchestrator;

/// <summary>The columns that a step yields, kept so that a step over nothing need not run to have some.</summary>
/// <remarks>
/// They follow from the SQL, the columns that it reads, the types of its parameters and the engine; columns that were learnt under anything else do not count. A hint: without it
/// one task runs over empty views, so it may be lost or replaced at any moment.
/// </remarks>
sealed class StepShapes(IObjectStore store)
{
    // What this life knows to be in the lake, so that a step that runs every minute writes it once.
    readonly ConcurrentDictionary<string, string> _written = new();

    /// <param name="task">The step's one task over empty views.</param>
    /// <returns>Null when nobody knows.</returns>
    public async Task<IReadOnlyList<OutputColumn>?> FindAsync(TaskSpec task, CancellationToken cancellation) =>
        await store.GetJsonAsync(LakeLayout.StepShape(task.Pipeline, task.Step), ContractsJson.Default.StepShape, cancellation) is { } shape && shape.Of == Of(task) ? shape.Columns : null;

    /// <param name="task">Any of the step.</param>
    public async Task LearnAsync(TaskSpec task, IReadOnlyList<OutputColumn> columns, CancellationToken cancellation)
    {
        var (key, of) = (LakeLayout.StepShape(task.Pipeline, task.Step), Of(task));
        if (_written.TryGetValue(key, out var written) && written == of) return;
        if ((await store.GetJsonAsync(key, ContractsJson.Default.StepShape, cancellation))?.Of != of)
            await store.PutJsonAsync(key, new StepShape(of, columns), ContractsJson.Default.StepShape, cancellation);
        _written[key] = of;
    }

    internal static string Of(TaskSpec task)
    {
        // Of an input whose columns the engine finds out by itself, they are what the objects hold.
        var inputs = task.Inputs.Select(i =>
            $"{i.Name} {i.Format} {string.Join(',', i.Columns.Select(c => $"{c.Name}|{c.Type}"))} {(i.Columns.Count > 0 ? "" : string.Join(',', i.Objects.Select(o => o.Sha256)))}");
        var text = string.Join('\n', [TaskCache.Engine, SqlNormalForm.Of(task.Sql), .. inputs, .. task.Params.Select(p => $"{p.Name} {p.Type}")]);
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
    }
}
