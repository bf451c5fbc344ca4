using LeanPipe.Lake;
using LeanPipe.Orchestrator;

namespace LeanPipe.Unit.Orchestrator;

public sealed class TaskEnvironmentTests
{
    [Theory]
    [InlineData("PATH")]
    [InlineData("DOTNET_ROOT")]
    [InlineData("AWS_WEB_IDENTITY_TOKEN_FILE")]
    [InlineData("HTTPS_PROXY")]
    public void What_a_process_needs_passes(string variable) => TaskEnvironment.Passes(variable).ShouldBeTrue();

    [Theory]
    [InlineData("DAPR_API_TOKEN")]
    [InlineData("APP_API_TOKEN")]
    [InlineData("PGPASSWORD")]
    [InlineData("LEANPIPE_STATE_POSTGRESQL")]
    public void Secrets_of_other_systems_do_not(string variable) => TaskEnvironment.Passes(variable).ShouldBeFalse();

    [Fact]
    public void Everything_that_tells_of_the_lake_passes()
    {
        var lake = new LakeOptions { Root = "s3://bucket/lake", Endpoint = new("http://127.0.0.1:1"), PathStyle = true, AccessKey = "a", SecretKey = "b", SessionToken = "c" };
        lake.ToEnvironment().Keys.ShouldAllBe(name => TaskEnvironment.Passes(name));
    }
}
