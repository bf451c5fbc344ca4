using LeanPipe.Contracts;
using LeanPipe.Integration.Lake;
using static LeanPipe.Integration.StepRunner.TaskLake;

namespace LeanPipe.Integration.StepRunner;

public sealed class S3TaskTests
{
    [Fact]
    public async Task A_task_downloads_from_s3_and_uploads_to_it()
    {
        await using var lake = new TaskLake(await TestStore.S3OptionsAsync());
        var parts = new List<ObjectRef>();
        foreach (var part in Enumerable.Range(0, 12)) parts.Add(await lake.PutAsync($"raw/t/{part}.ndjson", $"{{\"id\":{part}}}\n", 1));
        var raw = new TaskInput("raw", InputFormat.Ndjson, [Column("id", "BIGINT")], parts);

        var outcome = (await lake.RunAsync(lake.Task("SELECT id FROM raw", raw) with { Output = new() { OrderBy = ["id"], Hash = new("id", 3) } })).Succeeded();

        (await lake.ReadAsync(outcome.Chunks, "SELECT count(*), CAST(sum(id) AS BIGINT) FROM chunks")).ShouldBe(["12|66"]);
        lake.Scratch.GetFileSystemInfos().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_file_that_another_writer_added_to_a_table_is_pinned_by_its_size_alone()
    {
        await using var lake = new TaskLake(await TestStore.S3OptionsAsync());
        var ids = await lake.IdsAsync(1, 2);
        (await lake.RunAsync(lake.Task("SELECT id FROM ids", ids with { Objects = [ids.Objects[0] with { Sha256 = "" }] }))).Succeeded().RowsOut.ShouldBe(2);
    }

    [Fact]
    public async Task A_download_that_is_not_what_was_pinned_is_refused()
    {
        await using var lake = new TaskLake(await TestStore.S3OptionsAsync());
        var ids = await lake.IdsAsync(1, 2);
        var other = await lake.PutAsync(ids.Objects[0].Key, "{\"id\":1}\n{\"id\":3}\n");
        var message = (await lake.RunAsync(lake.Task("SELECT id FROM ids", ids))).Failed("task.input_changed").Message;
        message.ShouldContain($"SHA-256 {other.Sha256}, expected {ids.Objects[0].Sha256}");

        var tooBig = lake.Task("SELECT id FROM ids", ids) with { Limits = new() { ScratchBytes = 17 } };
        (await lake.RunAsync(tooBig)).Failed("task.inputs_exceed_scratch").Message.ShouldContain("have 18 bytes in 1 objects");
    }
}
