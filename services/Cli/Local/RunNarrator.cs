using LeanPipe.Orchestrator;

namespace LeanPipe.Cli.Local;

/// <summary>Runs as they happen, in a word or two each.</summary>
sealed class RunNarrator
{
    readonly Lock _lock = new();
    readonly Dictionary<string, (string Step, int Done, int Tasks)> _active = [];

    /// <summary>The steps under way, for a progress line.</summary>
    public string Active
    {
        get
        {
            lock (_lock) return string.Join(" | ", _active.OrderBy(a => a.Key, StringComparer.Ordinal).Select(a => $"{a.Key}: {a.Value.Step} {a.Value.Done}/{a.Value.Tasks} tasks"));
        }
    }

    /// <returns>A line worth keeping; null for what only moves the progress line.</returns>
    public string? Tell(RunEvent happened)
    {
        lock (_lock)
        {
            var run = happened.Run.Value;
            switch (happened)
            {
                case StepStarted e:
                    _active[run] = (e.Step.Value, 0, e.Tasks);
                    return null;
                case TaskFinished { Error: { } error } e:
                    return $"  {run}: {e.Step} task {e.Task}, attempt {e.Attempt} failed: {error}";
                case TaskFinished e when _active.TryGetValue(run, out var step) && step.Step == e.Step.Value:
                    _active[run] = step with { Done = step.Done + 1 };
                    return null;
                case StepCommitted e:
                    return $"  {run}: {e.Step}, {e.Tasks} {(e.Tasks == 1 ? "task" : "tasks")}, {e.RowsIn:N0} rows in, {e.RowsOut:N0} out";
                case TableReplaced e:
                    return $"  {run}: published {e.Table.Table}, {e.Table.Rows:N0} rows";
                case RunEnded e:
                    _active.Remove(run);
                    return e.Error is null ? null : $"  {run} failed: {e.Error}";
                default:
                    return null;
            }
        }
    }
}
