using System.Diagnostics;
using LeanPipe.DaprWire;

namespace LeanPipe.Integration.Sidecar;

/// <summary>The sidecar's own program.</summary>
public sealed class ProgramTests : IDisposable
{
    readonly DirectoryInfo _state = Directory.CreateTempSubdirectory("leanpipe-sidecar-");

    public void Dispose() => _state.Delete(recursive: true);

    [Fact]
    public async Task Further_apps_bindings_and_retention_are_flags()
    {
        using var sidecar = await SidecarProcess.StartAsync(
            _state.FullName, flags: ["--app", "other", "--cron", "tick/on/tick=@daily", "--retention-completed", "0"]);
        using var hub = new TaskHubClient(sidecar.AppPorts["other"]);
        (await hub.CallAsync(RuntimePaths.GetMetadata, new GetMetadataRequest(), GetMetadataResponse.Parser)).Id.ShouldBe("other");
        (await sidecar.Http.GetStringAsync("/v1.0/metadata")).ShouldContain("\"name\":\"tick\"");

        // Kept for no time at all: gone as soon as it has ended.
        await using var worker = await ScriptedWorker.ConnectAsync(sidecar.Hub, _ => [TurnView.Complete("done")]);
        await sidecar.Hub.StartAsync("w", "i");
        while ((await sidecar.Hub.GetAsync("i")).Exists)
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
    }

    [Theory]
    [InlineData(0, "--cron NAME[/ROUTE]=SCHEDULE", "--help")]
    [InlineData(2, "'--nope' is no flag.", "--nope", "1")]
    [InlineData(2, "has no usable schedule", "--cron", "tick=often")]
    public async Task Help_is_shown_and_wrong_flags_are_told(int exitCode, string says, params string[] flags)
    {
        using var process = Process.Start(new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "LeanPipe.Sidecar.dll"), .. flags])
        {
            WorkingDirectory = _state.FullName,
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        (await output + await error).ShouldContain(says);
        process.ExitCode.ShouldBe(exitCode);
    }
}
