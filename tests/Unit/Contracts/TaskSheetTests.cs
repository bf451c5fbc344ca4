using System.Text.Json;
using LeanPipe.Contracts;
using LeanPipe.StepRunner;
using LeanPipe.Unit.Orchestrator;

namespace LeanPipe.Unit.Contracts;

public sealed class TaskSheetTests
{
    static readonly IReadOnlyList<ObjectRef> Shared = [Samples.Object("tables/sensors/0.parquet", 20)];

    [Theory]
    [InlineData(1, 3, "1")]
    [InlineData(250, 1, "100,100,50")]
    [InlineData(5, 1500, "2,2,1")]
    [InlineData(3, 9000, "1,1,1")]
    public void Tasks_are_cut_into_sheets_by_their_number_and_by_what_is_their_own(int tasks, int objects, string sheets)
    {
        var all = Tasks(tasks, objects);
        var cut = TaskSheet.Cut(all).ToList();
        string.Join(',', cut.Select(s => s.Tasks.Count)).ShouldBe(sheets);
        cut.SelectMany(s => s.Tasks).Select(t => t.Task.Index).ShouldBe(Enumerable.Range(0, tasks));
        foreach (var sheet in cut)
            foreach (var share in sheet.Tasks) Text(sheet.Find(share.Task).ShouldNotBeNull()).ShouldBe(Text(all[share.Task.Index]));
    }

    [Fact]
    public void What_all_tasks_read_stands_in_a_sheet_once_and_a_step_runner_reads_its_task_as_the_serialiser_would()
    {
        var tasks = Tasks(40, 2);
        var sheet = TaskSheet.Cut(tasks).ShouldHaveSingleItem();
        sheet.Spec.Inputs.Select(i => i.Objects.Count).ShouldBe([0, 1]);
        sheet.Tasks.ShouldAllBe(t => t.Objects.Keys.Single() == "raw");
        var json = JsonSerializer.SerializeToUtf8Bytes(sheet, ContractsJson.Default.TaskSheet);
        foreach (var task in tasks) Text(TaskDocument.ReadSheet(json, task.Task.Value)).ShouldBe(Text(task));
        Should.Throw<JsonException>(() => TaskDocument.ReadSheet(json, "00040")).Message.ShouldBe("It has no task 00040.");
        JsonSerializer.SerializeToUtf8Bytes(JsonSerializer.Deserialize(json, ContractsJson.Default.TaskSheet)!, ContractsJson.Default.TaskSheet).ShouldBe(json);
    }

    [Fact]
    public void A_task_whose_checks_are_not_asked_keeps_that()
    {
        var tasks = Tasks(3, 1);
        tasks[1] = tasks[1] with { Checks = [] };
        var sheet = TaskSheet.Cut(tasks).ShouldHaveSingleItem();
        sheet.Tasks.Select(t => t.Unchecked).ShouldBe([null, true, null]);
        sheet.Find(new(1)).ShouldNotBeNull().Checks.ShouldBeEmpty();
        TaskSheet.Cut([tasks[1], tasks[0] with { Task = new(2) }]).Single().Find(new(2)).ShouldNotBeNull().Checks.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData(2, "10,10|10,10", 20)]
    [InlineData(3, "10|10,10|10", 20)]
    [InlineData(4, "10|10|10|10", 10)]
    [InlineData(99, "10|10|10|10", 10)]
    [InlineData(1, "10,10,10,10", 40)]
    public void Slices_are_of_whole_neighbours_of_about_equal_size(int slices, string expected, long largest) => Slices(slices, expected, largest, 10, 10, 10, 10);

    [Fact]
    public void One_object_may_be_a_slice_of_its_own_and_no_slice_is_empty()
    {
        Slices(3, "1,1|100|1", 100, 1, 1, 100, 1);
        Slices(2, "0|0,0", 0, 0, 0, 0);
    }

    [Fact]
    public void A_task_that_names_no_input_for_it_is_not_sliced()
    {
        var task = Tasks(1, 4)[0] with { Split = null };
        TaskSlices.Of(task, 4).ShouldHaveSingleItem().ShouldBeSameAs(task);
        TaskSlices.Most(task).ShouldBe(1);
    }

    static void Slices(int slices, string expected, long largest, params long[] sizes)
    {
        var task = Tasks(1, 1)[0];
        task = task with { Inputs = [task.Inputs[0] with { Objects = [.. sizes.Select((bytes, n) => new ObjectRef($"k{n}", bytes, 1, ""))] }, task.Inputs[1]] };
        var parts = TaskSlices.Of(task, slices);
        string.Join('|', parts.Select(p => string.Join(',', p.Inputs[0].Objects.Select(o => o.Bytes)))).ShouldBe(expected);
        parts.SelectMany(p => p.Inputs[0].Objects).ShouldBe(task.Inputs[0].Objects);
        parts.ShouldAllBe(p => ReferenceEquals(p.Inputs[1].Objects, Shared));
        if (slices > 1) TaskSlices.LargestBytes(task, slices).ShouldBe(largest);
    }

    static List<TaskSpec> Tasks(int tasks, int objects) => [.. Enumerable.Range(0, tasks).Select(n => new TaskSpec
    {
        Run = Samples.Run,
        Pipeline = new("p"),
        Window = Samples.Window,
        Step = new("s"),
        Task = new(n),
        Inputs =
        [
            new("raw", InputFormat.Ndjson, [new("a", "BIGINT", "BIGINT")], [.. Enumerable.Range(0, objects).Select(o => Samples.Object($"raw/{n}-{o}", 10))]),
            new("sensors", InputFormat.Parquet, [], Shared),
        ],
        Sql = "SELECT 1",
        Output = new(),
        Checks = [new("c", "SELECT 0", 0)],
        Split = "raw",
        Limits = new(),
    })];

    static string Text(TaskSpec task) => JsonSerializer.Serialize(task, ContractsJson.Default.TaskSpec);
}
