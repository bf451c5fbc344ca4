using Dapr.Workflow;
using LeanPipe.DaprWire;

namespace LeanPipe.Unit.DaprStandIns;

/// <summary>Random workflows against random orders of results: however the history is cut, the code asks for the same.</summary>
public sealed class ReplayPropertyTests
{
    const int Seeds = 300;

    [Fact]
    public void The_whole_history_replayed_gives_the_same_actions_at_every_prefix()
    {
        var turns = 0;
        for (var seed = 0; seed < Seeds; seed++)
        {
            var tape = Run(seed);
            foreach (var (turn, index) in tape.Turns.Select((turn, index) => (turn, index)))
            {
                var past = tape.Past.Take(turn.PastCount).ToArray();
                tape.Replay(past, turn.New).ShouldBe(turn.Answer, $"seed {seed}, turn {index}, the same request again");
                tape.Replay([.. past, .. turn.New], []).ShouldBe(turn.Answer, $"seed {seed}, turn {index}, everything as past");
                tape.Replay([], [.. past, .. turn.New]).ShouldBe(turn.Answer, $"seed {seed}, turn {index}, everything as new");
                turns++;
            }
        }

        turns.ShouldBeGreaterThan(Seeds * 3, "the workflows have to be worth replaying");
    }

    [Fact]
    public void Every_number_is_asked_for_once_over_the_life_of_an_instance()
    {
        for (var seed = 0; seed < Seeds; seed++)
        {
            var ids = Run(seed).Turns.SelectMany(turn => turn.Answer.Actions).Where(a => a.CompleteWorkflow is null).Select(a => a.Id).ToArray();
            ids.ShouldBe(Enumerable.Range(0, ids.Length), $"seed {seed}");
        }
    }

    static InstanceTape Run(int seed)
    {
        var tape = InstanceTape.Of<int, string>(RandomWorkflow);
        var random = new Random(seed);
        var open = new List<HistoryEvent>();
        Collect(tape.Begin($"{seed}"), open);
        for (var turn = 0; tape.Completion is null; turn++)
        {
            turn.ShouldBeLessThan(200, $"seed {seed} does not end");
            var batch = new List<HistoryEvent>();
            do
            {
                if (open.Count > 0)
                {
                    var index = random.Next(open.Count);
                    batch.Add(open[index]);
                    open.RemoveAt(index);
                }

                if (open.Count == 0 || random.Next(3) == 0)
                {
                    batch.Add(Events.Raised(random.Next(2) == 0 ? "Left" : "right", $"{turn}"));
                }
            }
            while (random.Next(2) == 0);

            if (random.Next(6) == 0)
            {
                tape.Next(Events.Suspended());
                Collect(tape.Next([.. batch]), open);
                batch = [Events.Resumed()];
            }

            Collect(tape.Next([.. batch]), open);
        }

        tape.Completion.WorkflowStatus.ShouldBe(OrchestrationStatus.Completed, $"seed {seed}: {tape.Completion.FailureDetails?.ErrorMessage}");
        return tape;
    }

    static void Collect(WorkflowResponse answer, List<HistoryEvent> open) => open.AddRange(answer.Actions.Select(action => action switch
    {
        { ScheduleTask: { } task } => task.Name == "flaky" && action.Id % 2 == 0 ? Events.Failed(action.Id) : Events.Completed(action.Id, $"{action.Id}"),
        { CreateTimer: not null } => Events.Fired(action.Id),
        { CreateChildWorkflow: not null } => Events.ChildCompleted(action.Id, $"{action.Id}"),
        _ => null,
    }).OfType<HistoryEvent>());

    static async Task<string> RandomWorkflow(WorkflowContext context, int seed)
    {
        var random = new Random(seed);
        var trace = new List<string>();
        var retry = new WorkflowTaskOptions(new WorkflowRetryPolicy(3, TimeSpan.FromSeconds(1), 2));
        for (var steps = random.Next(1, 7); steps > 0; steps--)
        {
            trace.Add(random.Next(8) switch
            {
                0 => $"{await context.CallActivityAsync<int>("one", seed)}",
                1 => string.Join('+', await Task.WhenAll(Enumerable.Range(0, random.Next(1, 6)).Select(i => context.CallActivityAsync<int>("many", i)))),
                2 => await Raced(context),
                3 => await Timed(context, random.Next(1, 100)),
                4 => $"{await context.CallChildWorkflowAsync<int>("child")}",
                5 => await Attempted(context, retry),
                6 => string.Join('|', await context.ProcessInParallelAsync(Enumerable.Range(0, 7), i => context.CallActivityAsync<int>("window", i), 3)),
                _ => $"{context.NewGuid()} {context.CurrentUtcDateTime:O}",
            });
            context.SetCustomStatus(trace.Count);
        }

        return string.Join(';', trace);
    }

    static async Task<string> Raced(WorkflowContext context)
    {
        var left = context.WaitForExternalEventAsync<int>("LEFT");
        var right = context.WaitForExternalEventAsync<int>("RIGHT");
        return await Task.WhenAny(left, right) == left ? $"left {await left}" : $"right {await right}";
    }

    static async Task<string> Timed(WorkflowContext context, int seconds)
    {
        try
        {
            return $"{await context.WaitForExternalEventAsync<int>("left", TimeSpan.FromSeconds(seconds))}";
        }
        catch (TaskCanceledException)
        {
            return "late";
        }
    }

    static async Task<string> Attempted(WorkflowContext context, WorkflowTaskOptions retry)
    {
        try
        {
            return $"{await context.CallActivityAsync<int>("flaky", options: retry)}";
        }
        catch (WorkflowTaskFailedException e)
        {
            return e.Message;
        }
    }
}
