using Dapr.Workflow.Client;

namespace LeanPipe.Unit.DaprStandIns;

public sealed class StartWorkflowOptionsTests
{
    [Fact]
    public void The_builder_sets_what_it_is_told_and_nothing_else()
    {
        var at = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        StartWorkflowOptions options = new StartWorkflowOptionsBuilder().WithInstanceId("i").StartAt(at);
        (options.InstanceId, options.StartAt).ShouldBe(("i", at));
        var none = new StartWorkflowOptionsBuilder().Build();
        (none.InstanceId, none.StartAt).ShouldBe((null, null));
        var before = DateTimeOffset.UtcNow;
        new StartWorkflowOptionsBuilder().StartAfter(TimeSpan.FromHours(1)).Build().StartAt!.Value.ShouldBeGreaterThanOrEqualTo(before.AddHours(1));
    }
}
