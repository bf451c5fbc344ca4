using LeanPipe.Housekeeping;
using LeanPipe.Integration.Orchestrator;
using LeanPipe.Lake;

namespace LeanPipe.Integration.Housekeeping;

public sealed class HousekeepingJobTests
{
    [Fact]
    public async Task The_sidecars_job_tidies_the_lake_by_the_document()
    {
        await using var lab = await OrchestratorLab.StartAsync("""
            pipeline: p
            steps:
              one:
                inputs: { data: { file: data.csv } }
                sql: one.sql
            """, ("data.csv", "a\n1\n"), ("one.sql", "FROM data"));
        await lab.Store.PutAsync("rejected/s/old.ndjson", "x"u8.ToArray(), TestContext.Current.CancellationToken);
        var path = lab.Store.LocalPath("rejected/s/old.ndjson")!;
        File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddDays(-31));
        await File.WriteAllTextAsync(Path.Combine(lab.Config, "housekeeping.yaml"), "housekeeping:\n  schedule: \"@every 1s\"\n", TestContext.Current.CancellationToken);

        var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var watcher = new FileSystemWatcher(Path.GetDirectoryName(path)!) { EnableRaisingEvents = true };
        watcher.Deleted += (_, _) => gone.TrySetResult();
        await lab.RestartAsync();
        await gone.Task.WaitAsync(TimeSpan.FromMinutes(3), TestContext.Current.CancellationToken);
        (await lab.Store.ListAsync(HousekeepingPass.AuditPrefix, TestContext.Current.CancellationToken).CountAsync(TestContext.Current.CancellationToken)).ShouldBe(1);
    }
}
