using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Orchestrator;

/// <summary>Why a task ran, or why it did not have to.</summary>
/// <param name="Reused">Its result is that of an equal task.</param>
/// <param name="Why">A sentence; tasks with equal sentences are one line for a person.</param>
public sealed record TaskExplanation(TaskId Task, bool Reused, string Why);

/// <summary>Answers <c>leanpipe why RUN STEP</c> from the lake alone.</summary>
public static class CacheExplanation
{
    /// <summary>Runs that are looked at for one to compare with, newest first.</summary>
    const int LookedAt = 200;

    /// <param name="most">So many tasks of the step are explained, the first ones.</param>
    /// <exception cref="LeanPipeException"><c>run.unknown_step</c></exception>
    public static async Task<IReadOnlyList<TaskExplanation>> WhyAsync(IObjectStore store, RunId run, StepName step, int most, CancellationToken cancellation)
    {
        var plan = await store.GetJsonAsync(LakeLayout.RunPlan(run), ContractsJson.Default.RunPlan, cancellation);
        if (plan?.Steps.Any(s => s.Name == step) is not true)
            throw new LeanPipeException("run.unknown_step", $"The lake holds no step '{step}' of a run '{run}'{(plan is null ? "" : $"; its steps are {string.Join(", ", plan.Steps.Select(s => s.Name))}")}.");
        RunId? before = null;
        var explained = new List<TaskExplanation>();
        IReadOnlyList<TaskSpec>? compared = null;
        await foreach (var spec in TaskSheets.ReadAsync(store, run, step, cancellation))
        {
            if (explained.Count == most) break;
            var n = spec.Task.Index;
            var commit = await store.GetJsonAsync(LakeLayout.TaskCommit(run, step, new(n)), ContractsJson.Default.TaskCommit, cancellation);
            if (commit is { Attempt: 0 }) explained.Add(new(new(n), true, $"reused: every part of its key is equal to that of the task whose outcome is {commit.Outcome}"));
            else if (CacheKey.Refusal(spec) is { } refusal) explained.Add(new(new(n), false, $"ran: {refusal}"));
            else
            {
                before ??= await BeforeAsync(store, plan, step, cancellation);
                if (before is { } found) compared ??= await TaskSheets.ReadAsync(store, found, step, cancellation).ToListAsync(cancellation);
                explained.Add(new(new(n), false, before is { } other ? Compare(spec, compared?.FirstOrDefault(t => t.Task.Index == n), other) : "ran: no run of this pipeline had this step before"));
            }
        }
        return explained;
    }

    /// <summary>What of the key differs from the task of that number in another run.</summary>
    internal static string Compare(TaskSpec spec, TaskSpec? other, RunId before)
    {
        if (other is null) return $"ran: {before} had no such task";
        var (now, then) = (CacheKey.Of(spec, TaskCache.Engine).Parts, CacheKey.Of(other, TaskCache.Engine).Parts);
        var changes = new List<string>();
        foreach (var name in now.Keys.Union(then.Keys).Order(StringComparer.Ordinal))
        {
            var (a, b) = (then.GetValueOrDefault(name), now.GetValueOrDefault(name));
            if (a == b) continue;
            changes.Add(
                a is null ? $"{name} is new" : b is null ? $"{name} is gone"
                : name.StartsWith("param ", StringComparison.Ordinal) ? $"{name} changed from {a[(a.IndexOf(' ', StringComparison.Ordinal) + 1)..]} to {b[(b.IndexOf(' ', StringComparison.Ordinal) + 1)..]}"
                : name.StartsWith("input ", StringComparison.Ordinal) ? $"{name} changed ({Objects(spec, other, name[6..])})"
                : $"{name} changed");
        }
        return changes.Count > 0
            ? $"ran: compared with {before}, {string.Join("; ", changes)}"
            : $"ran: its key is equal to that of {before}, whose result was not there: that task had not ended well by then, or its chunks are gone";
    }

    static string Objects(TaskSpec spec, TaskSpec other, string input)
    {
        var now = spec.Inputs.First(i => i.Name == input).Objects.Select(o => o.Sha256).ToHashSet();
        var then = other.Inputs.FirstOrDefault(i => i.Name == input)?.Objects.Select(o => o.Sha256).ToHashSet() ?? [];
        var (added, gone) = (now.Except(then).Count(), then.Except(now).Count());
        return added + gone == 0 ? "the same objects, read or ordered differently" : $"{now.Count} objects: {added} new, {gone} gone";
    }

    /// <summary>The newest run before this one over the same window, else over any, that wrote tasks of the step.</summary>
    static async Task<RunId?> BeforeAsync(IObjectStore store, RunPlan plan, StepName step, CancellationToken cancellation)
    {
        RunId? any = null;
        var (seen, looked) = (false, 0);
        await foreach (var (run, key) in RunIndex.ListAsync(store, cancellation))
        {
            if (run == plan.Run) seen = true;
            else if (seen && looked++ < LookedAt)
            {
                var entry = await store.GetJsonAsync(key, ContractsJson.Default.RunIndexEntry, cancellation);
                if (entry?.Pipeline != plan.Pipeline || (await TaskSheets.ListAsync(store, run, step, cancellation)).Count == 0) continue;
                if (entry.Window == plan.Window) return run;
                any ??= run;
            }
        }
        return any;
    }
}
