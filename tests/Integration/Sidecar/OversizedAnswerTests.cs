using LeanPipe.DaprWire;
using LeanPipe.Integration.DaprStandIns;
using static LeanPipe.Integration.Sidecar.TurnView;

namespace LeanPipe.Integration.Sidecar;

/// <summary>Answers that no message can carry: the workflow hears of it instead of waiting for ever.</summary>
public sealed class OversizedAnswerTests
{
    const int Limit = GrpcFrames.DefaultMaxMessageBytes;

    [Theory]
    [InlineData(Limit + 1)]
    [InlineData(3 * Limit)]
    public async Task An_activity_whose_result_is_too_large_fails_and_is_not_done_again(int length)
    {
        await using var sidecar = await SidecarApp.StartAsync();
        var runs = 0;
        await using var worker = await ScriptedWorker.ConnectAsync(sidecar.Hub, Decide, _ =>
        {
            Interlocked.Increment(ref runs);
            return new string('x', length);
        });
        await sidecar.Hub.StartAsync("w", "i");
        var output = (await sidecar.Hub.WaitAsync("i")).Output;
        output.ShouldStartWith("AnswerTooLarge: The answer of the activity has ");
        output.ShouldContain($"messages end at {Limit}");
        (await worker.Refused.ReadAsync()).Detail.ShouldContain("larger than max");
        runs.ShouldBe(1);

        static IEnumerable<WorkflowAction> Decide(TurnView turn) =>
            turn.Events.FirstOrDefault(e => e.TaskFailed is not null)?.TaskFailed.FailureDetails is { } failure ? [Complete($"{failure.ErrorType}: {failure.ErrorMessage}")]
            : turn.Has(e => e.TaskScheduled) ? [] : [Task(3, "a")];
    }

    [Fact]
    public async Task A_turn_whose_actions_are_too_large_fails_its_workflow()
    {
        await using var sidecar = await SidecarApp.StartAsync();
        await using var worker = await ScriptedWorker.ConnectAsync(sidecar.Hub, _ => [Task(0, "a", new string('x', Limit))]);
        await sidecar.Hub.StartAsync("w", "i");
        var state = await sidecar.Hub.WaitAsync("i");
        (state.WorkflowStatus, state.FailureDetails.ErrorType).ShouldBe((OrchestrationStatus.Failed, "AnswerTooLarge"));
    }

    [Fact]
    public async Task Our_worker_goes_on_after_such_an_answer()
    {
        await using var sidecar = await SidecarApp.StartAsync();
        await using var worker = await WorkerHost.StartAsync($"http://127.0.0.1:{sidecar.Endpoints.GrpcPort}", options =>
        {
            options.RegisterActivity<int, string>("large", (_, bytes) => System.Threading.Tasks.Task.FromResult(new string('x', bytes)));
            options.RegisterWorkflow<int, int>("w", async (context, bytes) => (await context.CallActivityAsync<string>("large", bytes)).Length);
        });
        await worker.Client.ScheduleNewWorkflowAsync("w", "large", Limit);
        var large = await worker.Client.WaitForWorkflowCompletionAsync("large");
        large.FailureDetails!.ErrorMessage.ShouldContain("Return a reference");
        await worker.Client.ScheduleNewWorkflowAsync("w", "small", 7);
        (await worker.Client.WaitForWorkflowCompletionAsync("small")).ReadOutputAs<int>().ShouldBe(7);
    }

    [Fact]
    public async Task An_activity_whose_input_no_message_can_carry_stalls_its_workflow_and_no_other()
    {
        await using var sidecar = await SidecarApp.StartAsync(o => o with { MaxMessageBytes = 64 * 1024 });
        await using var worker = await ScriptedWorker.ConnectAsync(sidecar.Hub, turn =>
            turn.Started.Name == "small" ? turn.Results.Count == 0 ? [Task(0, "a")] : [Complete("done")] : [Task(0, "a", new string('x', (64 * 1024) - 60))]);
        await sidecar.Hub.StartAsync("large", "large");
        await sidecar.Hub.WaitUntilAsync("large", OrchestrationStatus.Stalled);
        await sidecar.Hub.StartAsync("small", "small");
        (await sidecar.Hub.WaitAsync("small")).Output.ShouldBe("done");
    }
}
