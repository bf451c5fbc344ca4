using Dapr.Workflow;
using Dapr.Workflow.Worker;
using LeanPipe.DaprWire;
using Microsoft.Extensions.DependencyInjection;

namespace LeanPipe.Unit.DaprStandIns;

/// <summary>What the worker answers to whole items: which registration is taken, and what is said when there is none.</summary>
public sealed class WorkItemAnswerTests
{
    [Theory]
    [InlineData("Greet")]
    [InlineData("greet")]
    [InlineData("GREET")]
    public async Task A_workflow_is_found_whatever_the_case_and_the_first_registration_stays(string name)
    {
        await using var worker = new Worker(options =>
        {
            options.RegisterWorkflow<object, string>("Greet", (_, _) => Task.FromResult("first"));
            options.RegisterWorkflow<object, string>("GREET", (_, _) => Task.FromResult("second"));
        });
        (await worker.TurnAsync(name)).Short().ShouldBe("0:Completed(\"first\")");
    }

    [Theory]
    [InlineData("Square")]
    [InlineData("SQUARE")]
    public async Task An_activity_is_found_whatever_the_case_and_the_first_registration_stays(string name)
    {
        await using var worker = new Worker(options =>
        {
            options.RegisterActivity<int, int>("Square", (_, n) => Task.FromResult(n * n));
            options.RegisterActivity<int, int>("square", (_, _) => Task.FromResult(-1));
        });
        (await worker.ActivityAsync(name, "3")).Result.ShouldBe("9");
    }

    [Fact]
    public async Task A_workflow_that_is_not_registered_fails_for_good()
    {
        await using var worker = new Worker(_ => { });
        var failure = (await worker.TurnAsync("nobody")).Actions.ShouldHaveSingleItem().CompleteWorkflow.FailureDetails;
        (failure.ErrorType, failure.IsNonRetriable).ShouldBe(("WorkflowNotFound", true));
    }

    [Fact]
    public async Task A_history_that_names_no_workflow_fails()
    {
        await using var worker = new Worker(_ => { });
        (await worker.TurnAsync("")).Short().ShouldBe("0:Failed(WorkflowNameMissing)");
    }

    [Fact]
    public async Task A_workflow_that_cannot_be_made_fails_with_the_exceptions_type()
    {
        await using var worker = new Worker(options => options.RegisterWorkflow<NeedsTooMuch>("w"));
        (await worker.TurnAsync("w")).Short().ShouldBe("0:Failed(System.InvalidOperationException)");
    }

    [Fact]
    public async Task A_termination_needs_no_registration()
    {
        await using var worker = new Worker(_ => { });
        (await worker.TurnAsync("nobody", Events.Terminated())).Short().ShouldBe("0:Terminated()");
    }

    [Fact]
    public async Task An_activity_that_is_not_registered_is_a_failure_for_the_workflow_to_see()
    {
        await using var worker = new Worker(_ => { });
        (await worker.ActivityAsync("nobody", "1")).FailureDetails.ErrorType.ShouldBe("ActivityNotFoundException");
    }

    sealed class NeedsTooMuch(IDisposable nobodyRegistersThis) : Workflow<object, string>
    {
        public override Task<string> RunAsync(WorkflowContext context, object input) => Task.FromResult($"{nobodyRegistersThis}");
    }

    sealed class Worker(Action<WorkflowRuntimeOptions> configure) : IAsyncDisposable
    {
        readonly ServiceProvider _services = new ServiceCollection().AddLogging().AddDaprWorkflow(configure).BuildServiceProvider();

        public Task<WorkflowResponse> TurnAsync(string workflow, params HistoryEvent[] more) => _services.GetRequiredService<TurnRunner>().AnswerAsync(new WorkflowRequest
        {
            InstanceId = "i",
            NewEvents = { Events.TurnStarted(new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc)), Events.Started(workflow), more },
        });

        public Task<ActivityResponse> ActivityAsync(string name, string input) =>
            _services.GetRequiredService<ActivityRunner>().AnswerAsync(new ActivityRequest { Name = name, Input = input, TaskId = 1 });

        public ValueTask DisposeAsync() => _services.DisposeAsync();
    }
}
