using System.Text.Json;
using LeanPipe.Contracts;

namespace LeanPipe.Unit.StepRunner;

/// <summary>Nulls are left out of documents, so every value that may be null must be readable when it is not there.</summary>
public sealed class OutcomeDocumentTests
{
    [Fact]
    public void An_outcome_with_every_null_it_can_have_reads_back_equal()
    {
        var outcome = new TaskOutcome
        {
            Run = new("r"),
            Step = new("s"),
            Task = new(7),
            Attempt = 2,
            Error = new("check.failed", "m", Transient: false),
            Chunks = [new(new("k", 1, 2, "h"), null, new SortedDictionary<string, ColumnStats> { ["c"] = new(null, null, 3) })],
            Checks = [new("n", 0, null, Passed: false)],
            Timings = new(1, 2, 3, 4),
            Engine = "duckdb v1",
            StartedAt = DateTimeOffset.UnixEpoch,
        };
        var read = JsonSerializer.Deserialize(JsonSerializer.Serialize(outcome, ContractsJson.Default.TaskOutcome), ContractsJson.Default.TaskOutcome).ShouldNotBeNull();
        read.ShouldBeEquivalentTo(outcome with { Columns = read.Columns, Chunks = read.Chunks, Checks = read.Checks });
        read.Chunks.ShouldHaveSingleItem().Stats.ShouldNotBeNull()["c"].ShouldBe(new(null, null, 3));
        read.Checks.ShouldBe(outcome.Checks);
    }

    [Fact]
    public void A_run_that_failed_outside_of_any_step_reads_back_equal()
    {
        var record = new RunRecord
        {
            Run = new("r"),
            Pipeline = new("p"),
            Window = WindowId.Parse("2026-01-01"),
            Revision = 1,
            Status = RunStatus.Failed,
            StartedAt = DateTimeOffset.UnixEpoch,
            EndedAt = DateTimeOffset.UnixEpoch,
            Steps = [],
            Error = new(null, null, "plan.failed", "m"),
        };
        JsonSerializer.Deserialize(JsonSerializer.Serialize(record, ContractsJson.Default.RunRecord), ContractsJson.Default.RunRecord).ShouldNotBeNull().Error.ShouldBe(record.Error);
    }
}
