using System.Text.Json;
using LeanPipe.Cli;

namespace LeanPipe.Unit.Cli;

/// <summary>`leanpipe send` against gateways that do not answer.</summary>
public sealed class SendCommandTests : IDisposable
{
    readonly ScriptedGateway _gateway = new();
    readonly string _home = Directory.CreateTempSubdirectory("leanpipe-send-").FullName;

    public SendCommandTests()
    {
        File.WriteAllText(Path.Combine(Directory.CreateDirectory(Path.Combine(_home, "config", "streams")).FullName, "s.yaml"), $$"""
            stream: s
            listen: {{_gateway.Address}}
            schema: { fields: { t: timestamp } }
            event_time: t
            ack: durable
            """);
        File.WriteAllText(Path.Combine(_home, "lines"), "a\nb\nc\n");
    }

    public void Dispose()
    {
        _gateway.Dispose();
        Directory.Delete(_home, recursive: true);
    }

    [Fact]
    public async Task A_listener_that_says_nothing_is_given_up_with_how_many_lines_were_acknowledged()
    {
        // The system takes the connections; nobody ever reads them. One line, so that it is known how many were sent before patience ran out.
        await File.WriteAllTextAsync(Path.Combine(_home, "lines"), "a\n", TestContext.Current.CancellationToken);
        var (code, output, error) = await SendAsync("--ack-timeout", "20ms", "--retry-for", "50ms");
        (code, output).ShouldBe((1, ""));
        error.ShouldContain($"{_gateway.Address}: Nothing was acknowledged while 1 frame waited for it. Tried again, for 0:00 more.");
        error.ShouldContain(
            $"error: The gateway at {_gateway.Address} has acknowledged nothing for 0.05 s of trying again: Nothing was acknowledged while 1 frame waited for it. 0 lines are acknowledged as durable; " +
            "1 line more was sent, and may have arrived or not. Send the rest again when the gateway is back, or wait longer with --retry-for. (cli.gateway_unreachable)");
    }

    [Fact]
    public async Task What_a_gateway_acknowledged_before_it_went_away_is_told_also_to_programs()
    {
        var sending = SendAsync("--retry-for", "50ms", "-o", "json");
        using (var peer = await _gateway.AcceptAsync())
        {
            await peer.ReadLinesAsync(3);
            _gateway.Leave();
            await peer.AckAsync(2);
        }
        var (code, output, error) = await sending;
        code.ShouldBe(1);
        error.ShouldContain("2 lines, the first of the input, are acknowledged as durable; 1 line more was sent");
        var summary = JsonDocument.Parse(output).RootElement;
        (summary.GetProperty("complete").GetBoolean(), summary.GetProperty("frames").GetInt64(), summary.GetProperty("unacknowledged").GetInt64()).ShouldBe((false, 2, 1));
    }

    [Fact]
    public async Task A_duration_that_is_none_is_wrong_usage()
    {
        var (code, _, error) = await SendAsync("--retry-for", "long");
        code.ShouldBe(2);
        error.ShouldContain("--retry-for is 'long': expected a duration such as 500ms, 30s, 5m, 1h or 1d.");
    }

    async Task<(int Code, string Output, string Error)> SendAsync(params string[] options)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        var code = await CommandLine.RunAsync(["send", Path.Combine(_home, "lines"), "--stream", "s", "--home", _home, .. options], output, error, TestContext.Current.CancellationToken);
        return (code, output.ToString(), error.ToString());
    }
}
