using System.Buffers.Binary;
using LeanPipe.DaprWire;
using LeanPipe.Sidecar.State;
using static LeanPipe.Integration.Sidecar.TurnView;

namespace LeanPipe.Integration.Sidecar;

/// <summary>
/// The sidecar dead between any two of its durable writes. The journal as it was at that moment is a prefix: up to a frame's end, it died after
/// committing and before answering; up to a frame's middle, between receiving and committing.
/// </summary>
public sealed class TornRunTests : IDisposable
{
    const int Steps = 3;

    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("leanpipe-sidecar-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Cut_after_or_inside_any_transaction_a_run_ends_with_the_same_result_and_every_step_once_in_its_history()
    {
        var whole = await RunAsync(Folder("whole"));
        var ends = FrameEnds(whole);
        ends.Count.ShouldBeGreaterThan(Steps * 2);

        var cuts = ends.Prepend(JournalFile.HeaderBytes).SelectMany(end => new[] { end, end + JournalFile.FramePrefixBytes + 3 }).Where(cut => cut <= whole.Length);
        foreach (var cut in cuts)
        {
            var folder = Folder($"cut-{cut}");
            await File.WriteAllBytesAsync(Path.Combine(folder, "journal"), whole[..cut]);
            await RunAsync(folder);
        }
    }

    [Fact]
    public async Task An_answer_from_before_a_restart_counts_for_nothing_after_it()
    {
        WorkItem old;
        await using (var sidecar = await SidecarApp.StartAsync(stateDirectory: _folder.FullName))
        {
            await using var worker = await ScriptedWorker.ConnectAsync(sidecar.Hub, Decide, _ => null);
            await sidecar.Hub.StartAsync("chain", "c");
            old = await worker.NextAsync(i => i.ActivityRequest is null ? null : i);
        }

        await using (var sidecar = await SidecarApp.StartAsync(stateDirectory: _folder.FullName))
        {
            await using var worker = await ScriptedWorker.ConnectAsync(sidecar.Hub, Decide, a => a.Input == "0" ? null : $"{a.Name}({a.Input})");
            var again = await worker.NextAsync(i => i.ActivityRequest is null ? null : i);
            again.ActivityRequest.ShouldBe(old.ActivityRequest);
            await AnswerAsync(sidecar, old.CompletionToken, "stale");
            await AnswerAsync(sidecar, again.CompletionToken, "good");
            await AnswerAsync(sidecar, again.CompletionToken, "twice");
            (await sidecar.Hub.WaitAsync("c")).Output.ShouldBe("good,a(1),a(2)");
        }

        static Task AnswerAsync(SidecarApp sidecar, string token, string result) => sidecar.Hub.CallAsync(
            TaskHubPaths.CompleteActivityTask, new ActivityResponse { InstanceId = "c", TaskId = 0, Result = result, CompletionToken = token }, CompleteTaskResponse.Parser);
    }

    [Fact]
    public async Task A_turn_answered_twice_by_its_worker_counts_once()
    {
        await using var sidecar = await SidecarApp.StartAsync();
        await using var worker = await ScriptedWorker.ConnectAsync(sidecar.Hub, _ => null);
        await sidecar.Hub.StartAsync("chain", "c");
        var turn = await worker.NextAsync(i => i.WorkflowRequest is null ? null : i);
        var answer = new WorkflowResponse { InstanceId = "c", Actions = { Task(0, "a", "0") }, CompletionToken = turn.CompletionToken };
        for (var i = 0; i < 3; i++)
            await sidecar.Hub.CallAsync(TaskHubPaths.CompleteWorkflowTask, answer, CompleteTaskResponse.Parser);

        var history = await HistoryAsync(sidecar, "c");
        history.Count(e => e.TaskScheduled is not null).ShouldBe(1);
        (await worker.NextAsync(i => i.ActivityRequest)).TaskId.ShouldBe(0);
    }

    [Fact]
    public async Task A_worker_that_never_answers_holds_only_what_it_took()
    {
        await using var sidecar = await SidecarApp.StartAsync();
        await using var good = await ScriptedWorker.ConnectAsync(sidecar.Hub, Decide);
        await using (var silent = await ScriptedWorker.ConnectAsync(sidecar.Hub, _ => null, _ => null))
        {
            // Enough that both get some; all but what the silent one holds come through.
            for (var i = 0; i < 50; i++)
                await sidecar.Hub.StartAsync("chain", $"c{i}");
            await silent.NextAsync(i => i);
        }

        for (var i = 0; i < 50; i++)
            (await sidecar.Hub.WaitAsync($"c{i}")).Output.ShouldBe("a(0),a(1),a(2)");
    }

    static async Task<byte[]> RunAsync(string folder)
    {
        await using (var sidecar = await SidecarApp.StartAsync(stateDirectory: folder))
        {
            await using var worker = await ScriptedWorker.ConnectAsync(sidecar.Hub, Decide);
            if (!(await sidecar.Hub.GetAsync("c")).Exists)
                await sidecar.Hub.StartAsync("chain", "c");
            (await sidecar.Hub.WaitAsync("c")).Output.ShouldBe("a(0),a(1),a(2)", folder);
            (await HistoryAsync(sidecar, "c")).Where(e => e.TaskCompleted is not null).Select(e => e.TaskCompleted.TaskScheduledId).ShouldBe(Enumerable.Range(0, Steps), folder);
        }

        return await File.ReadAllBytesAsync(Path.Combine(folder, "journal"));
    }

    static IEnumerable<WorkflowAction> Decide(TurnView turn) =>
        turn.Results.Count == Steps ? [Complete(string.Join(',', turn.Results))] : [Task(turn.Results.Count, "a", turn.Results.Count.ToString())];

    static async Task<IReadOnlyList<HistoryEvent>> HistoryAsync(SidecarApp sidecar, string id) =>
        (await sidecar.Hub.CallAsync(TaskHubPaths.GetInstanceHistory, new GetInstanceHistoryRequest { InstanceId = id }, GetInstanceHistoryResponse.Parser)).Events;

    internal static List<int> FrameEnds(byte[] journal)
    {
        var ends = new List<int>();
        for (var at = JournalFile.HeaderBytes; at < journal.Length; ends.Add(at))
            at += JournalFile.FramePrefixBytes + BinaryPrimitives.ReadInt32LittleEndian(journal.AsSpan(at + 4));
        return ends;
    }

    string Folder(string name) => _folder.CreateSubdirectory(name).FullName;
}
