using System.Net;
using System.Text.RegularExpressions;
using LeanPipe.Integration.Sidecar;

namespace LeanPipe.Integration.Cli;

/// <summary>A service that can no longer do its work ends the process that it runs in, for a supervisor to start it again; it never stays half alive.</summary>
public sealed partial class ServiceEndTests : IDisposable
{
    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("leanpipe-end-");
    SmallDisk? _disk;

    string Home => Path.Combine(_folder.FullName, "home");

    public void Dispose()
    {
        _disk?.Dispose();
        _folder.Delete(recursive: true);
    }

    string SidecarState => Path.Combine(Home, "state", "sidecar");

    [Fact]
    public async Task Up_ends_when_its_sidecar_was_told_to()
    {
        WriteStream();
        using var up = LeanPipeProcess.Start(Home, "up");
        using var dapr = await SidecarOf(up);
        (await dapr.PostAsync("/v1.0/shutdown", null)).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await up.EndAsync().WaitAsync(TimeSpan.FromMinutes(3))).ShouldBe(1, up.Output);
        up.Output.ShouldContain("error: The sidecar has ended by itself");
    }

    [Fact]
    public async Task Up_ends_when_the_disk_below_its_sidecar_is_full_and_goes_on_when_it_is_started_with_more()
    {
        WriteStream();
        _disk = SmallDisk.Mount(SidecarState);
        using (var up = LeanPipeProcess.Start(Home, "up"))
        {
            using var dapr = await SidecarOf(up);
            await FillAsync(dapr);
            (await up.EndAsync().WaitAsync(TimeSpan.FromMinutes(3))).ShouldBe(1, up.Output);
            up.Output.ShouldContain("could not be written");
            up.Output.ShouldContain("error: The sidecar has ended by itself");
        }
        _disk.Grow(16);
        using (var up = LeanPipeProcess.Start(Home, "up"))
        {
            using var dapr = await SidecarOf(up);
            (await PublishAsync(dapr)).ShouldBe(HttpStatusCode.NoContent);
            up.Terminate();
            (await up.EndAsync()).ShouldBe(0, up.Output);
        }
    }

    [Fact]
    public async Task A_sidecar_of_its_own_ends_with_code_1_when_its_disk_is_full()
    {
        _disk = SmallDisk.Mount(SidecarState);
        using var sidecar = await SidecarProcess.StartAsync(SidecarState);
        await FillAsync(sidecar.Http);
        (await sidecar.EndAsync()).ShouldBe(1);
    }

    static async Task FillAsync(HttpClient dapr)
    {
        try
        {
            while (await PublishAsync(dapr) == HttpStatusCode.NoContent) continue;
        }
        catch (HttpRequestException)
        {
            // It ended while it was asked.
            return;
        }
    }

    static async Task<HttpStatusCode> PublishAsync(HttpClient dapr)
    {
        using var answer = await dapr.PostAsync("/v1.0/publish/pubsub/nobody", new StringContent(new string('x', 200_000)));
        return answer.StatusCode;
    }

    static async Task<HttpClient> SidecarOf(LeanPipeProcess up)
    {
        await up.UntilAsync("Ready:");
        return new() { BaseAddress = new(Sidecar().Match(up.Output).Groups["url"].Value) };
    }

    void WriteStream()
    {
        var streams = Directory.CreateDirectory(Path.Combine(Home, "config", "streams")).FullName;
        File.WriteAllText(
            Path.Combine(streams, "telemetry.yaml"), "{ stream: telemetry, listen: '127.0.0.1:0', schema: { fields: { sensor_id: string, value: float64, at: timestamp } }, event_time: at }");
    }

    [GeneratedRegex("sidecar (?<url>http://[0-9.:]+)", RegexOptions.ExplicitCapture)]
    private static partial Regex Sidecar();
}
