using LeanPipe.Lake;
using LeanPipe.Orchestrator;

namespace LeanPipe.Unit.Orchestrator;

public sealed class InstallationCheckTests : IDisposable
{
    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("leanpipe-check-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("gateway:8080/healthz")]
    [InlineData("not an address")]
    [InlineData("/healthz")]
    [InlineData("")]
    public async Task An_address_that_is_none_is_a_finding(string address)
    {
        using var output = new StringWriter { NewLine = "\n" };
        (await InstallationCheck.RunAsync(() => ObjectStores.Open(new() { Root = _folder.FullName }), [address], output)).ShouldBe(1);
        output.ToString().ShouldContain($"FAIL {address}: ");
    }
}
