using System.Globalization;
using System.Text.Json.Serialization;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Orchestrator;

/// <summary>Written before an attempt is launched.</summary>
/// <param name="Execution">Dapr's key of the activity's execution: the same when it is delivered again after a crash, another when the run is started again.</param>
sealed record AttemptStart(string Execution, DateTimeOffset StartedAt);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(AttemptStart))]
sealed partial class AttemptJson : JsonSerializerContext;

/// <summary>The attempts of one task, as the lake tells them.</summary>
/// <remarks>
/// An attempt's number is taken by putting its started.json if absent, so that two launches never write under one prefix, not even those of two lives of this
/// service. What an attempt without outcome left behind is never read; the sweeper deletes it.
/// </remarks>
sealed class AttemptLog(IObjectStore store, RunId run, StepName step, TaskId task)
{
    /// <summary>Every attempt that was ever started, in order.</summary>
    public async Task<IReadOnlyList<(int Number, AttemptStart Start, TaskOutcome? Outcome)>> ReadAsync(CancellationToken cancellation)
    {
        var numbers = new SortedSet<int>();
        var prefix = LakeLayout.Task(run, step, task);
        await foreach (var item in store.ListAsync(prefix, cancellation))
            if (item.Key.AsSpan(prefix.Length) is var rest && rest.IndexOf('/') is var slash and > 0 &&
                int.TryParse(rest[..slash], NumberStyles.None, CultureInfo.InvariantCulture, out var number)) numbers.Add(number);
        var attempts = new List<(int, AttemptStart, TaskOutcome?)>();
        foreach (var number in numbers)
            if (await store.GetJsonAsync(LakeLayout.AttemptStarted(run, step, task, number), AttemptJson.Default.AttemptStart, cancellation) is { } start)
                attempts.Add((number, start, await OutcomeAsync(number, cancellation)));
        return attempts;
    }

    /// <returns>The number, at least <paramref name="from"/>.</returns>
    public async Task<int> StartAsync(int from, AttemptStart start, CancellationToken cancellation)
    {
        while (!await store.PutJsonIfAbsentAsync(LakeLayout.AttemptStarted(run, step, task, from), start, AttemptJson.Default.AttemptStart, cancellation)) from++;
        return from;
    }

    public ValueTask<TaskOutcome?> OutcomeAsync(int attempt, CancellationToken cancellation) =>
        store.GetJsonAsync(LakeLayout.Outcome(run, step, task, attempt), ContractsJson.Default.TaskOutcome, cancellation);

    public ValueTask<TaskCommit?> CommitAsync(CancellationToken cancellation) =>
        store.GetJsonAsync(LakeLayout.TaskCommit(run, step, task), ContractsJson.Default.TaskCommit, cancellation);

    /// <summary>Makes the attempt the task's result, unless another one is it already.</summary>
    public ValueTask<bool> CommitAsync(int attempt, CancellationToken cancellation) => CommitAsync(new TaskCommit(attempt, LakeLayout.Outcome(run, step, task, attempt)), cancellation);

    public ValueTask<bool> CommitAsync(TaskCommit commit, CancellationToken cancellation) =>
        store.PutJsonIfAbsentAsync(LakeLayout.TaskCommit(run, step, task), commit, ContractsJson.Default.TaskCommit, cancellation);
}
