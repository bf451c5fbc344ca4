using LeanPipe.Contracts;
using LeanPipe.Lake;
using static LeanPipe.Integration.Lake.PublishFixture;

namespace LeanPipe.Integration.Lake;

/// <summary>A store that takes a conditional put for a plain one, as some S3 services do.</summary>
public sealed class CarelessStore(IObjectStore inner) : ForwardingStore(inner)
{
    public override async ValueTask<bool> PutIfAbsentAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        await PutAsync(key, content, cancellationToken);
        return true;
    }

}

public sealed class CommitStoreTests
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Thirty_two_publishers_of_one_process_lose_no_commit_on_a_store_that_fails_the_probe()
    {
        await using var at = TestStore.Folder();
        using var store = new CommitStore(new CarelessStore(at.Store), TimeProvider.System);
        var chunks = new List<IReadOnlyList<Chunk>>();
        for (var n = 0; n < 32; n++) chunks.Add(await ChunksAsync(store, $"w{n:D2}"));
        var published = await Task.WhenAll(chunks.Select((c, n) => Task.Run(() => PublishAsync(store, Hour(n % 16), 1, $"r{n}", c, pipeline: new($"p{n / 16}")), Token)));
        store.IsSerialised.ShouldBe(true);
        published.Select(p => p.Version).Order().ShouldBe(Enumerable.Range(0, 32).Select(n => (long)n));
        (await SeenAsync(store)).ShouldBe(string.Join(" ", Enumerable.Range(0, 32).Select(n => $"w{n:D2}")));
        await CheckAsync(store);
    }

    [Fact]
    public async Task A_store_that_keeps_its_word_is_used_as_it_is()
    {
        await using var at = TestStore.Folder();
        using var store = new CommitStore(at.Store, TimeProvider.System);
        store.IsSerialised.ShouldBeNull();
        (await store.PutIfAbsentAsync("runs/a", "1"u8.ToArray(), Token)).ShouldBeTrue();
        (await store.PutIfAbsentAsync("runs/a", "2"u8.ToArray(), Token)).ShouldBeFalse();
        store.IsSerialised.ShouldBe(false);
        (await at.Store.ListAsync("", Token).Select(o => o.Key).ToListAsync(Token)).ShouldBe(["runs/a"]);
    }

    [Fact]
    public async Task A_second_committer_waits_until_the_firsts_lease_has_ended()
    {
        await using var at = TestStore.Folder();
        var time = new ShiftedTime();
        using var first = new CommitStore(new CarelessStore(at.Store), time);
        using var second = new CommitStore(new CarelessStore(at.Store), time);
        (await first.PutIfAbsentAsync("runs/a", "1"u8.ToArray(), Token)).ShouldBeTrue();
        var taken = await Should.ThrowAsync<LakeException>(() => second.PutIfAbsentAsync("runs/b", "2"u8.ToArray(), Token).AsTask());
        (taken.Code, taken.IsTransient).ShouldBe(("lake.busy", true));
        time.Shift += TimeSpan.FromMinutes(2);
        (await second.PutIfAbsentAsync("runs/b", "2"u8.ToArray(), Token)).ShouldBeTrue();
        (await Should.ThrowAsync<LakeException>(() => first.PutIfAbsentAsync("runs/c", "1"u8.ToArray(), Token).AsTask())).Code.ShouldBe("lake.busy");
    }

    /// <summary>The system's clock, moved; timers keep their pace.</summary>
    sealed class ShiftedTime : TimeProvider
    {
        public TimeSpan Shift { get; set; }

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Shift;
    }
}
