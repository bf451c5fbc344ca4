using System.Text;
using LeanPipe.Cli.Sending;
using LeanPipe.Contracts;

namespace LeanPipe.Unit.Cli;

public sealed class FrameConnectionTests : IDisposable
{
    readonly ScriptedGateway _gateway = new();

    public void Dispose() => _gateway.Dispose();

    [Fact]
    public async Task After_a_broken_connection_everything_behind_the_last_acknowledgement_is_sent_again()
    {
        var connection = Connection(["a", "b", "c", "d"]);
        var sending = connection.RunAsync(0, TestContext.Current.CancellationToken);
        using (var first = await _gateway.AcceptAsync())
        {
            (await first.ReadLinesAsync(4)).ShouldBe(["a", "b", "c", "d"]);
            await first.AckAsync(2);
            await AckedAsync(connection, 2);
            first.Abort();
        }
        using var second = await _gateway.AcceptAsync();
        (await second.ReadLinesAsync(2)).ShouldBe(["c", "d"]);
        await second.AckAsync(2);
        (await second.ReadToEndAsync()).ShouldBe("");
        second.Dispose();
        await sending;
        connection.Acked.ShouldBe(4);
        connection.Reconnects.ShouldBe(1);
    }

    [Fact]
    public async Task A_line_that_was_waited_for_when_the_connection_broke_goes_over_the_next_one()
    {
        var source = new SlowSource();
        var connection = new FrameConnection(0, new() { Gateway = _gateway.Address, Acks = true }, source, new(1, 100, inStep: false), pace: null, TimeProvider.System);
        var sending = connection.RunAsync(0, TestContext.Current.CancellationToken);
        source.Give("a");
        using (var first = await _gateway.AcceptAsync())
        {
            (await first.ReadLinesAsync(1)).ShouldBe(["a"]);
            await first.AckAsync(1);
            await AckedAsync(connection, 1);
            first.Abort();
        }

        // Written to the connection that is broken, while the source is asked for the next.
        source.Give("b");
        using var second = await _gateway.AcceptAsync();
        source.Give("c");
        source.End();
        (await second.ReadLinesAsync(2)).ShouldBe(["b", "c"]);
        await second.AckAsync(2);
        (await second.ReadToEndAsync()).ShouldBe("");
        second.Dispose();
        await sending;
        connection.Acked.ShouldBe(3);
    }

    [Fact]
    public async Task A_gateway_that_hangs_up_in_order_without_acknowledging_everything_is_called_again()
    {
        var connection = Connection(["a", "b"]);
        var sending = connection.RunAsync(0, TestContext.Current.CancellationToken);
        using (var first = await _gateway.AcceptAsync())
        {
            (await first.ReadToEndAsync()).ShouldBe("a\nb\n");
            await first.AckAsync(1);
        }
        using var second = await _gateway.AcceptAsync();
        (await second.ReadLinesAsync(1)).ShouldBe(["b"]);
        await second.AckAsync(1);
        (await second.ReadToEndAsync()).ShouldBe("");
        second.Dispose();
        await sending;
    }

    [Fact]
    public async Task A_process_that_goes_on_counts_from_what_was_acknowledged_before()
    {
        var connection = Connection(["x"]);
        var sending = connection.RunAsync(10, TestContext.Current.CancellationToken);
        using (var peer = await _gateway.AcceptAsync())
        {
            (await peer.ReadLinesAsync(1)).ShouldBe(["x"]);
            await peer.AckAsync(1);
            await peer.ReadToEndAsync();
        }
        await sending;
        connection.Acked.ShouldBe(11);
    }

    [Fact]
    public async Task Connections_in_step_wait_for_the_slowest()
    {
        var window = new SendWindow(2, 2, inStep: true);
        window.Begin(0, 0);
        window.Begin(1, 0);
        var fast = Connection(["a", "b", "c"], window: window);
        var sending = fast.RunAsync(0, TestContext.Current.CancellationToken);
        using var peer = await _gateway.AcceptAsync();
        (await peer.ReadLinesAsync(2)).ShouldBe(["a", "b"]);
        await peer.AckAsync(2);
        var third = peer.ReadLineAsync();
        await AckedAsync(fast, 2);
        third.IsCompleted.ShouldBeFalse();
        window.Finish(1);
        (await third).ShouldBe("c");
        await peer.AckAsync(3);
        await peer.ReadToEndAsync();
        peer.Dispose();
        await sending;
    }

    [Fact]
    public async Task Without_acknowledgements_a_header_goes_first_and_the_end_is_the_gateways_hanging_up()
    {
        var connection = Connection(["1,2", "3,4"], acks: false, preamble: "a,b\n");
        var sending = connection.RunAsync(0, TestContext.Current.CancellationToken);
        using (var peer = await _gateway.AcceptAsync()) (await peer.ReadToEndAsync()).ShouldBe("a,b\n1,2\n3,4\n");
        await sending;
        connection.Acked.ShouldBe(2);
    }

    [Fact]
    public async Task Without_acknowledgements_a_gateway_that_hangs_up_before_the_end_is_an_error()
    {
        var source = new SlowSource();
        var connection = new FrameConnection(0, new() { Gateway = _gateway.Address, Acks = false }, source, new(1, 100, inStep: false), pace: null, TimeProvider.System);
        var sending = connection.RunAsync(0, TestContext.Current.CancellationToken);
        source.Give("a");
        using (var peer = await _gateway.AcceptAsync()) (await peer.ReadLineAsync()).ShouldBe("a");
        source.End();
        (await Should.ThrowAsync<LeanPipeException>(sending)).Code.ShouldBe("cli.connection_lost");
    }

    [Fact]
    public async Task Without_acknowledgements_no_line_is_left_out_when_a_connection_breaks_before_its_first_byte()
    {
        var source = new SlowSource();
        var connection = new FrameConnection(0, new() { Gateway = _gateway.Address, Acks = false }, source, new(1, 100, inStep: false), pace: null, TimeProvider.System);
        var sending = connection.RunAsync(0, TestContext.Current.CancellationToken);
        (await _gateway.AcceptAsync()).Abort();
        source.Give("a");
        source.End();
        (await Should.ThrowAsync<LeanPipeException>(sending)).Code.ShouldBe("cli.connection_lost");
    }

    [Fact]
    public async Task Empty_lines_are_not_sent_for_the_gateway_does_not_count_them()
    {
        using var lines = new LineSource(new MemoryStream("a\n\n\r\nb\r\n\nc"u8.ToArray()));
        var found = new List<string>();
        while (await lines.NextAsync(TestContext.Current.CancellationToken) is { } line) found.Add(Encoding.ASCII.GetString(line.Span));
        found.ShouldBe(["a\n", "b\r\n", "c\n"]);
    }

    [Fact]
    public async Task An_answer_that_is_no_acknowledgement_is_an_error_without_its_text()
    {
        var sending = Connection(["a"]).RunAsync(0, TestContext.Current.CancellationToken);
        using var peer = await _gateway.AcceptAsync();
        await peer.AnswerAsync("HTTP/1.1 400 Bad Request\r\n");
        var error = await Should.ThrowAsync<LeanPipeException>(sending);
        error.Code.ShouldBe("cli.unknown_answer");
        error.Message.ShouldNotContain("Bad Request");
    }

    FrameConnection Connection(string[] lines, bool acks = true, string preamble = "", SendWindow? window = null) => new(
        0, new() { Gateway = _gateway.Address, Acks = acks, Preamble = Encoding.ASCII.GetBytes(preamble) },
        new LineSource(new MemoryStream(Encoding.ASCII.GetBytes(string.Join('\n', lines)))), window ?? new(1, 100, inStep: false), pace: null, TimeProvider.System);

    static async Task AckedAsync(FrameConnection connection, long count)
    {
        while (connection.Acked < count) await Task.Yield();
    }
}
