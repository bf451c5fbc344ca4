using LeanPipe.Contracts;
using LeanPipe.Documents.Reading;

namespace LeanPipe.Documents;

/// <summary>The rules that span steps, and an order in which every step stands after those it reads.</summary>
static class Graph
{
    public static void Check(IReadOnlyList<ReadStep> steps, ErrorList errors)
    {
        foreach (var twin in steps.Where(s => s.Definition.Publish is not null).GroupBy(s => s.Definition.Publish!.Table).SelectMany(g => g.Skip(1)))
            errors.Add(twin.Publish, $"The table '{twin.Definition.Publish!.Table}' is published by another step already; a table has one step.");

        var loads = steps.Where(s => s.Definition.Load is not null).Select(s => s.Name).ToHashSet();
        foreach (var step in steps)
            foreach (var load in step.Needs.Where(loads.Contains))
                errors.Add(step.At, $"The step '{step.Name}' reads '{load}', which loads its rows into a database and keeps none; read what '{load}' reads.");

        // A step writes its rows once, so all that share them out by hash must agree how.
        var buckets = steps.Where(s => s.Definition.Output.HashBy is not null)
            .ToDictionary(s => s.Name, s => (Hash: s.Definition.Output.HashBy!, By: "its own hash_by"), StringComparer.Ordinal);
        foreach (var step in steps)
        {
            if (step.Definition.FanOut is not HashFanOut hash) continue;
            foreach (var side in hash.Sides)
            {
                if (step.Definition.Inputs[side.Input] is not StepInput input) continue;
                var wanted = new HashBuckets(side.Columns[0], hash.Buckets, [.. side.Columns.Skip(1)]);
                if (!buckets.TryGetValue(input.Step.Value, out var other)) buckets[input.Step.Value] = (wanted, $"'{step.Name}'");
                else if (other.Hash.Buckets != wanted.Buckets || !other.Hash.Columns.SequenceEqual(wanted.Columns))
                    errors.Add(step.FanOut, $"The step '{input.Step}' would have to be written in {Text(wanted)} for '{step.Name}' and in {Text(other.Hash)} for {other.By}; make them equal.");
            }
        }
    }

    static string Text(HashBuckets hash) => $"{hash.Buckets} buckets of '{string.Join(", ", hash.Columns)}'";

    public static IReadOnlyList<StepDefinition> InOrder(IReadOnlyList<ReadStep> steps, ErrorList errors)
    {
        var ordered = new List<StepDefinition>();
        var waiting = steps.ToList();
        var known = steps.Select(s => s.Name).ToHashSet();
        var done = new HashSet<string>();
        while (waiting.Find(s => s.Needs.All(n => done.Contains(n) || !known.Contains(n))) is { } next)
        {
            waiting.Remove(next);
            done.Add(next.Name);
            ordered.Add(next.Definition);
        }
        if (waiting.Count > 0) ReportCycles(waiting, errors);
        return ordered;
    }

    /// <summary>Walks from each waiting step along the waiting steps it needs until one comes again; every walk ends, for each of them needs another.</summary>
    static void ReportCycles(List<ReadStep> waiting, ErrorList errors)
    {
        var reported = new HashSet<string>();
        foreach (var start in waiting)
        {
            var path = new List<ReadStep> { start };
            while (true)
            {
                var next = waiting.First(s => path[^1].Needs.Contains(s.Name));
                var again = path.IndexOf(next);
                path.Add(next);
                if (again < 0) continue;
                var cycle = path[again..];
                if (!cycle.Exists(s => reported.Contains(s.Name)))
                    errors.Add(cycle[0].At, $"The steps go round in a circle: {string.Join(" → ", cycle.Select(s => s.Name))} (each reads the next); take one of these inputs away.");
                foreach (var step in cycle) reported.Add(step.Name);
                break;
            }
        }
    }
}
