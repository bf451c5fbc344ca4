using System.Diagnostics;

namespace LeanPipe.Benchmarks.Ingest;

/// <summary>The gateway as it is shipped: published for this system, Release, ReadyToRun.</summary>
static class GatewayBuild
{
    public static async Task<IReadOnlyList<(string Label, string Program)>> AllAsync(IngestOptions options)
    {
        var now = ("", options.Program ?? await PublishAsync());
        return options.Baseline is { } baseline ? [(" (baseline)", baseline), now] : [now];
    }

    static async Task<string> PublishAsync()
    {
        var root = Repository.Root;
        var output = Path.Combine(root, "artifacts", "benchmark-gateway");
        var publish = new ProcessStartInfo("dotnet", [
            "publish", Path.Combine(root, "services", "Gateway", "Gateway.csproj"), "-c", "Release", "-r", "linux-x64", "--self-contained", "false", "-p:PublishReadyToRun=true",
            "-o", output, "-v", "q", "--nologo"])
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        using var process = Process.Start(publish)!;
        var said = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0) throw new InvalidOperationException("The gateway could not be published: " + said);
        return Path.Combine(output, "LeanPipe.Gateway.dll");
    }
}
