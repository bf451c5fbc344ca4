using LeanPipe.Contracts;
using LeanPipe.DuckDb;
using LeanPipe.Lake;
using LeanPipe.StepRunner;

namespace LeanPipe.Integration.StepRunner;

/// <summary>An attempt's durable writes are its chunks and then its outcome; it is torn before each of them.</summary>
public sealed class TornAttemptTests
{
    [Fact]
    public async Task Torn_before_any_of_its_writes_an_attempt_has_no_outcome_and_whole_it_names_only_what_is_there()
    {
        await using var lake = new TaskLake();
        var spec = lake.Task("SELECT range AS id FROM range(1000)") with { Output = new() { Hash = new("id", 4) } };
        const int Writes = 5;
        for (var allowed = 0; allowed <= Writes; allowed++)
        {
            var attempt = allowed + 1;
            using var scratch = new Scratch(lake.Scratch.FullName);
            using var engine = new DuckDbStart();
            var run = new StepTask(new DyingStore(lake.Store, allowed), spec, attempt, scratch, new Progress(TextWriter.Null, TimeProvider.System), TimeProvider.System, engine).RunAsync(CancellationToken.None);
            if (allowed < Writes)
            {
                (await run.ShouldThrowAsync<LakeException>()).IsTransient.ShouldBeTrue();
                (await lake.OutcomeAsync(spec, attempt)).ShouldBeNull();
            }
            else
            {
                (await run).Error.ShouldBeNull();
                var outcome = (await lake.OutcomeAsync(spec, attempt)).ShouldNotBeNull();
                outcome.Chunks.Count.ShouldBe(4);
                foreach (var chunk in outcome.Chunks) (await lake.Store.SizeAsync(chunk.Object.Key, CancellationToken.None)).ShouldBe(chunk.Object.Bytes);
            }
        }
    }

    /// <summary>The lake as a process sees it that dies after so many writes.</summary>
    sealed class DyingStore(IObjectStore store, int writes) : ForwardingStore(store)
    {
        int _writes = writes;

        protected override IObjectStore Write() => Interlocked.Decrement(ref _writes) >= 0 ? base.Write() : throw new LakeException("lake.unreachable", "The store is dead.", isTransient: true);
    }
}
