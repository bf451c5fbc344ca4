using Dapr.Workflow.Replay;

namespace LeanPipe.Unit.DaprStandIns;

/// <summary>The vectors of the official SDK.</summary>
public sealed class DeterministicIdsTests
{
    static readonly Guid Root = new("6f927a2e-9c7e-4a1d-9b8d-7a86f2e7f62f");

    [Fact]
    public void A_seed_that_is_no_guid_becomes_a_namespace_under_the_root() =>
        DeterministicIds.Version5(Root, "net-1").ShouldBe(new Guid("ae72dd89-1334-57cd-9049-5fbfc562b7c6"));

    [Theory]
    [InlineData("net-1", null, "5baf5ade-0f6a-51f9-bfd4-d55e14589c4d")]
    [InlineData("net-1", " ", "5baf5ade-0f6a-51f9-bfd4-d55e14589c4d")]
    [InlineData("net-1", "ae72dd89-1334-57cd-9049-5fbfc562b7c6", "5baf5ade-0f6a-51f9-bfd4-d55e14589c4d")]
    [InlineData("F-child-default-id", null, "41190a23-e768-577d-8afd-d7a564ffa55b")]
    public void The_first_guid_is_that_of_the_official_worker(string instanceId, string? executionId, string expected) =>
        new DeterministicIds(instanceId, executionId).NextGuid().ShouldBe(new Guid(expected));

    [Theory]
    [InlineData("net-1", "Add", "8f0ef4d4dc77503e8e790bd9d91e7722")]
    [InlineData("A-target-noSource", "X", "ff1f8ad463a9558b965a69532909c0e4")]
    public void A_task_execution_id_is_that_of_the_official_worker(string instanceId, string name, string expected) =>
        new DeterministicIds(instanceId, executionId: null).TaskExecution(0, name).ShouldBe(expected);

    [Fact]
    public void Guids_of_one_instance_differ()
    {
        var ids = new DeterministicIds("net-1", executionId: null);
        Enumerable.Range(0, 100).Select(_ => ids.NextGuid()).Distinct().Count().ShouldBe(100);
    }
}
