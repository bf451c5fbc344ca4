namespace Dapr.Workflow;

public static class ParallelExtensions
{
    /// <summary>Runs a task per input, at most <paramref name="maxConcurrency"/> at once, the next as soon as one ends.</summary>
    /// <returns>The results in the order of the inputs.</returns>
    /// <exception cref="AggregateException">Some tasks failed; all of them had been tried.</exception>
    public static async Task<TResult[]> ProcessInParallelAsync<TInput, TResult>(
        this WorkflowContext context, IEnumerable<TInput> inputs, Func<TInput, Task<TResult>> taskFactory, int maxConcurrency = 5)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(inputs);
        ArgumentNullException.ThrowIfNull(taskFactory);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxConcurrency, 1);

        // The order of the calls is the order of the inputs and of the completions in the history: the same on every replay.
        var waiting = new Queue<(int Index, TInput Input)>(inputs.Select((input, index) => (index, input)));
        var results = new TResult[waiting.Count];
        var failures = new List<Exception>();
        var running = new Dictionary<Task<TResult>, int>();
        while (waiting.Count > 0 || running.Count > 0)
        {
            while (running.Count < maxConcurrency && waiting.TryDequeue(out var next))
            {
                running.Add(Start(taskFactory, next.Input), next.Index);
            }

            var ended = await Task.WhenAny(running.Keys);
            running.Remove(ended, out var index);
            try
            {
                results[index] = await ended;
            }
            catch (Exception e)
            {
                failures.Add(e);
            }
        }

        return failures.Count == 0 ? results : throw new AggregateException($"{failures.Count} of {results.Length} tasks failed.", failures);
    }

    // A factory that throws or hands out one task twice counts as that input's failure or result, not as the loop's.
    static async Task<TResult> Start<TInput, TResult>(Func<TInput, Task<TResult>> taskFactory, TInput input) => await taskFactory(input);
}
