using System.Reflection;
using Dapr.Client;
using Dapr.Workflow;
using LeanPipe.Unit.Repository;

namespace LeanPipe.Unit.DaprStandIns;

/// <summary>
/// The stand-ins are subsets: tests/golden/dapr/members-*.txt lists the official members, <c>+</c> for those that are here and <c>-</c> for those that are not.
/// </summary>
public sealed class PublicApiTests
{
    [Fact]
    public void Dapr_Workflow_has_the_listed_members_and_no_other() => Compare(typeof(DaprWorkflowClient).Assembly);

    [Fact]
    public void Dapr_AspNetCore_has_the_listed_members_and_no_other() => Compare(typeof(DaprClient).Assembly);

    [Fact]
    public void The_wire_is_not_in_the_api()
    {
        foreach (var assembly in new[] { typeof(DaprWorkflowClient).Assembly, typeof(DaprClient).Assembly })
        {
            assembly.GetExportedTypes().Select(type => type.Namespace).ShouldAllBe(name => name!.StartsWith("Dapr") || name.StartsWith("Microsoft."));
        }
    }

    static void Compare(Assembly assembly)
    {
        var name = assembly.GetName().Name;
        var actual = PublicMembers.Of(assembly).ToArray();
        var listed = File.ReadAllLines(Path.Combine(Tree.Root, "tests", "golden", "dapr", $"members-{name}.txt"));
        var here = listed.Where(line => line.StartsWith('+')).Select(line => line[2..]).ToArray();
        File.WriteAllLines(Path.Combine(AppContext.BaseDirectory, $"members-{name}.actual.txt"), actual.Select(line => $"+ {line}"));

        actual.Except(here).ShouldBeEmpty($"{name} has members that are not on the official list: callers could bind to them");
        here.Except(actual).ShouldBeEmpty($"{name} lacks members that the list says are here");
        listed.Where(line => line.StartsWith('-')).Select(line => line[2..]).Intersect(actual).ShouldBeEmpty("a member that is here is listed as missing");
        here.Distinct().Count().ShouldBe(here.Length, "a line stands twice");
    }
}
