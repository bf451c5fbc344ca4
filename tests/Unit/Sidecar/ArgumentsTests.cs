using LeanPipe.Sidecar;

namespace LeanPipe.Unit.Sidecar;

public sealed class ArgumentsTests
{
    [Fact]
    public void Without_flags_the_defaults_are_those_of_the_options()
    {
        var (options, errors) = Arguments.Parse([]);
        errors.ShouldBeEmpty();
        options.ShouldBe(new SidecarOptions { StateDirectory = Path.Combine(".leanpipe", "sidecar") });
    }

    [Fact]
    public void Every_flag_of_the_help_is_taken()
    {
        string[] args =
        [
            "--app-id", "main", "--app-port=8080", "--dapr-http-port", "0", "--dapr-grpc-port", "50001", "--metrics-port", "9090", "--listen-address", "0.0.0.0", "--max-body-size", "16Mi",
            "--state-directory", "state", "--app", "other=50002", "--app", "third", "--cron", "tick=@every 15s", "--cron", "night/jobs/night=CRON_TZ=UTC 0 0 3 * * *",
            "--retention-completed", "1h", "--retention-failed", "never", "--retention-terminated=90m",
        ];
        var (options, errors) = Arguments.Parse(args);
        errors.ShouldBeEmpty();
        options.ShouldNotBeNull();
        (options.AppId, options.AppPort, options.HttpPort, options.GrpcPort, options.ListenAddress, options.MaxMessageBytes, options.StateDirectory)
            .ShouldBe(("main", 8080, 0, 50001, "0.0.0.0", 16 * 1024 * 1024, "state"));
        options.MetricsPort.ShouldBe(9090);
        options.Apps.ShouldBe([new SidecarAppOptions("other", 50002), new SidecarAppOptions("third")]);
        options.CronBindings.ShouldBe([new CronBinding("tick", "@every 15s"), new CronBinding("night", "CRON_TZ=UTC 0 0 3 * * *", "/jobs/night")]);
        options.Retention.ShouldBe(new RetentionOptions { Completed = TimeSpan.FromHours(1), Failed = null, Terminated = TimeSpan.FromMinutes(90) });
        foreach (var flag in args.Where(a => a.StartsWith("--", StringComparison.Ordinal)))
            Arguments.Help.ShouldContain($"  {flag.Split('=')[0]} ");
    }

    [Theory]
    [InlineData("--nope", "x", "'--nope' is no flag.")]
    [InlineData("app-id", "x", "'app-id' is no flag.")]
    [InlineData("--app-port", "0", "--app-port cannot be '0'.")]
    [InlineData("--dapr-http-port", "70000", "--dapr-http-port cannot be '70000'.")]
    [InlineData("--app", "other=x", "--app cannot be 'other=x'.")]
    [InlineData("--cron", "nightly", "--cron cannot be 'nightly'.")]
    [InlineData("--retention-failed", "a week", "--retention-failed cannot be 'a week'.")]
    [InlineData("--max-body-size", "9999Gi", "--max-body-size cannot be '9999Gi'.")]
    public void A_wrong_flag_is_told(string flag, string value, string says) => Arguments.Parse([flag, value]).Errors.ShouldContain(says);

    [Fact]
    public void A_flag_without_a_value_is_told() => Arguments.Parse(["--app-id"]).Errors.ShouldBe(["--app-id has no value."]);
}
