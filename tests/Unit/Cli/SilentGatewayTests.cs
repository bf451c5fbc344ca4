using System.Text;
using System.Threading.Channels;
using LeanPipe.Cli.Sending;
using LeanPipe.Contracts;

namespace LeanPipe.Unit.Cli;

/// <summary>Gateways that take a connection and say nothing, or are away for a while.</summary>
public sealed class SilentGatewayTests : IDisposable
{
    static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    readonly ScriptedGateway _gateway = new();
    readonly ManualTime _time = new(DateTimeOffset.UnixEpoch, movesTimestamps: true);

    /// <summary>A failure, and a task that ends when the pause behind it has begun.</summary>
    readonly Channel<(SendTrouble? Trouble, Task Pause)> _troubles = Channel.CreateUnbounded<(SendTrouble?, Task)>();

    public void Dispose() => _gateway.Dispose();

    [Fact]
    public async Task Frames_that_nobody_acknowledges_go_over_another_connection_which_gets_twice_the_time()
    {
        var source = new SlowSource();
        source.Give("a");
        source.Give("b");
        var connection = Connection(source);
        var sending = connection.RunAsync(0, TestContext.Current.CancellationToken);
        using var deaf = await _gateway.AcceptAsync();
        (await deaf.ReadLinesAsync(2)).ShouldBe(["a", "b"]);
        await WatchedAsync();
        _time.Advance(Minute);
        (await NextTroubleAsync()).ShouldNotBeNull().Reason.ShouldBe("Nothing was acknowledged while 2 frames waited for it.");

        using var second = await _gateway.AcceptAsync();
        (await second.ReadLinesAsync(2)).ShouldBe(["a", "b"]);
        await Should.ThrowAsync<IOException>(deaf.ReadLineAsync(), "what the first did not read, nobody reads later");
        _time.Advance(Minute);
        source.End();
        await second.AckAsync(2);
        (await second.ReadToEndAsync()).ShouldBe("");
        second.Dispose();
        await sending;
        (connection.Acked, connection.Unacknowledged, connection.Reconnects).ShouldBe((2, 0, 1));
        (await _troubles.Reader.ReadAsync(TestContext.Current.CancellationToken)).Trouble.ShouldBeNull("it goes on");
    }

    [Fact]
    public async Task A_source_that_is_silent_itself_waits_for_no_acknowledgement()
    {
        var source = new SlowSource();
        var connection = Connection(source);
        var sending = connection.RunAsync(0, TestContext.Current.CancellationToken);
        using var peer = await _gateway.AcceptAsync();
        for (var i = 1; i <= 3; i++)
        {
            source.Give($"{i}");
            (await peer.ReadLineAsync()).ShouldBe($"{i}");
            await peer.AckAsync(i);
            while (connection.Acked < i) await Task.Yield();
            _time.Advance(10 * Minute);
        }
        source.End();
        (await peer.ReadToEndAsync()).ShouldBe("");
        peer.Dispose();
        await sending;
        connection.Reconnects.ShouldBe(0);
    }

    [Fact]
    public async Task A_gateway_that_is_away_for_minutes_gets_what_it_has_not_acknowledged_when_it_is_back()
    {
        var connection = Connection(Lines("a", "b", "c"));
        var sending = connection.RunAsync(0, TestContext.Current.CancellationToken);
        using (var first = await _gateway.AcceptAsync())
        {
            await first.ReadLinesAsync(3);
            await first.AckAsync(1);
            while (connection.Acked < 1) await Task.Yield();
            _gateway.Leave();
            first.Abort();
        }
        for (var away = TimeSpan.Zero; away < 9 * Minute; away += TimeSpan.FromSeconds(2)) (await NextTroubleAsync()).ShouldNotBeNull().Left.ShouldBe(10 * Minute - away, TimeSpan.FromSeconds(2));
        await NextTroubleAsync(_gateway.ComeBack);
        using var second = await _gateway.AcceptAsync();
        (await second.ReadLinesAsync(2)).ShouldBe(["b", "c"]);
        await second.AckAsync(2);
        await second.ReadToEndAsync();
        second.Dispose();
        await sending;
        connection.Acked.ShouldBe(3);
    }

    [Fact]
    public async Task It_gives_up_when_it_was_tried_for_long_enough_since_the_first_failure()
    {
        var connection = Connection(Lines("a", "b", "c"));
        var sending = connection.RunAsync(0, TestContext.Current.CancellationToken);
        using (var first = await _gateway.AcceptAsync())
        {
            await first.ReadLinesAsync(3);
            await first.AckAsync(2);
            while (connection.Acked < 2) await Task.Yield();
            _gateway.Leave();
            first.Abort();
        }
        await NextTroubleAsync(() => _time.Advance(10 * Minute));
        var error = await Should.ThrowAsync<LeanPipeException>(sending);
        (error.Code, error.IsTransient).ShouldBe(("cli.gateway_unreachable", true));
        error.Message.ShouldStartWith($"The gateway at {_gateway.Address} has acknowledged nothing for 600 s of trying again: ");
        (connection.Acked, connection.Unacknowledged).ShouldBe((2, 1));
    }

    [Fact]
    public async Task When_all_is_acknowledged_nobody_has_to_hang_up()
    {
        var connection = Connection(Lines("a"));
        var sending = connection.RunAsync(0, TestContext.Current.CancellationToken);
        using var peer = await _gateway.AcceptAsync();
        (await peer.ReadToEndAsync()).ShouldBe("a\n");
        await peer.AckAsync(1);
        while (connection.Acked < 1) await Task.Yield();
        await WatchedAsync();
        _time.Advance(Minute);
        await sending;
        connection.Reconnects.ShouldBe(0);
    }

    [Fact]
    public async Task Without_acknowledgements_a_listener_that_does_not_hang_up_at_the_end_is_an_error()
    {
        var connection = Connection(Lines("a", "b"), acks: false);
        var sending = connection.RunAsync(0, TestContext.Current.CancellationToken);
        using var peer = await _gateway.AcceptAsync();
        (await peer.ReadToEndAsync()).ShouldBe("a\nb\n");
        while (!sending.IsCompleted)
        {
            _time.Advance(Minute);
            await Task.Yield();
        }
        var error = await Should.ThrowAsync<LeanPipeException>(sending);
        (error.Code, error.IsTransient).ShouldBe(("cli.connection_lost", true));
        error.Message.ShouldContain("Everything was written, and the gateway has not ended the connection within 60 s. Without acknowledgements nobody knows which of them arrived.");
    }

    [Fact]
    public async Task Without_acknowledgements_a_listener_that_takes_nothing_is_given_up()
    {
        var connection = Connection(new EndlessSource(), acks: false);
        var sending = connection.RunAsync(0, TestContext.Current.CancellationToken);
        using var peer = await _gateway.AcceptAsync();
        while (!sending.IsCompleted)
        {
            _time.Advance(Minute);
            await Task.Yield();
        }
        (await Should.ThrowAsync<LeanPipeException>(sending)).Message.ShouldContain("The gateway has taken nothing for 600 s.");
    }

    sealed class EndlessSource : IFrameSource
    {
        readonly byte[] _frame = new byte[64 * 1024];

        public ValueTask<ReadOnlyMemory<byte>?> NextAsync(CancellationToken stop) => new((ReadOnlyMemory<byte>?)_frame);
    }

    /// <summary>The first connection's silence is watched: behind the limit of connecting, it is the second timer.</summary>
    Task WatchedAsync() => _time.CreatedAsync(2).WaitAsync(TestContext.Current.CancellationToken);

    /// <summary>The next failure; the pause behind it is over when this returns.</summary>
    /// <param name="meanwhile">Done within the pause.</param>
    async Task<SendTrouble?> NextTroubleAsync(Action? meanwhile = null)
    {
        var (trouble, pause) = await _troubles.Reader.ReadAsync(TestContext.Current.CancellationToken);
        await pause.WaitAsync(TestContext.Current.CancellationToken);
        meanwhile?.Invoke();
        _time.Advance(TimeSpan.FromSeconds(2));
        return trouble;
    }

    FrameConnection Connection(IFrameSource source, bool acks = true) => new(
        0, new() { Gateway = _gateway.Address, Acks = acks, Troubled = trouble => _troubles.Writer.TryWrite((trouble, _time.NextTimerAsync())) }, source, new(1, 100, inStep: false), pace: null, _time);

    static LineSource Lines(params string[] lines) => new(new MemoryStream(Encoding.ASCII.GetBytes(string.Join('\n', lines))));
}
