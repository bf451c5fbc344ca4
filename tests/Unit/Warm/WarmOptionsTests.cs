using LeanPipe.Contracts;
using LeanPipe.Orchestrator;
using LeanPipe.StepRunner;

namespace LeanPipe.Unit.Warm;

public sealed class WarmOptionsTests
{
    [Fact]
    public void Without_addresses_nothing_is_warm() => Read().ShouldBeNull();

    [Fact]
    public void The_environment_says_where_they_are_and_what_they_get()
    {
        var options = Read(("LEANPIPE_WARM_AT", "lake-warm:8090, 10.0.0.7:1"), ("LEANPIPE_WARM_TOKEN", "secret"), ("LEANPIPE_WARM_MAX_INPUT", "8Mi")).ShouldNotBeNull();
        options.Addresses.ShouldBe(["lake-warm:8090", "10.0.0.7:1"]);
        (options.Token, options.MaxInputBytes).ShouldBe(("secret", 8L << 20));
        options.ToString().ShouldNotContain("secret");
    }

    [Fact]
    public void Everything_that_is_wrong_is_said_at_once()
    {
        var e = Should.Throw<LeanPipeException>(() => Read(("LEANPIPE_WARM_AT", "lake-warm"), ("LEANPIPE_WARM_MAX_INPUT", "much")));
        foreach (var part in (string[])["LEANPIPE_WARM_TOKEN is not set", "holds 'lake-warm': expected host:port", "LEANPIPE_WARM_MAX_INPUT is 'much': expected a quantity"]) e.Message.ShouldContain(part);
    }

    [Fact]
    public void Serve_names_everything_that_is_wrong()
    {
        var (parsed, errors) = ServeArguments.Parse(["--listen", "8090x", "--port", "1"], token: null);
        parsed.ShouldBeNull();
        errors.Select(e => e.Split(':')[0]).ShouldBe(["'--port' is no option of serve", "--listen is '8090x'", "--scratch is missing", "LEANPIPE_WARM_TOKEN is not set"]);
    }

    [Fact]
    public void A_line_is_read_to_its_end_and_no_byte_more()
    {
        using var input = new MemoryStream("--task\tä\nrest"u8.ToArray());
        Arguments.ReadLine(input).ShouldBe("--task\tä");
        input.ReadByte().ShouldBe('r');
        Arguments.ReadLine(input).ShouldBeNull("it ended without a line's end");
    }

    static WarmOptions? Read(params (string Name, string Value)[] variables) =>
        OrchestratorEnvironment.Read(new() { Root = "." }, name => variables.FirstOrDefault(v => v.Name == name).Value).Warm;
}
