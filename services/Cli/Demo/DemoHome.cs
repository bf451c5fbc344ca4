using System.Net;
using LeanPipe.Cli.Homes;
using LeanPipe.Cli.Local;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Cli.Demo;

/// <summary>Makes a home ready for a demo: empty but for the demo's documents. Data that no demo made is never touched.</summary>
static class DemoHome
{
    // As in the demo's stream document.
    const int DocumentPort = 7001;

    /// <summary>Takes note of a new demo; what an earlier one left is removed.</summary>
    /// <remarks>The note comes first and says that the home is not prepared, so that a process killed in between is followed by one that prepares it again.</remarks>
    /// <exception cref="LeanPipeException"><c>cli.home_not_empty</c></exception>
    public static async Task<DemoState> BeginAsync(HomeFolder home, LakeOptions lake, DemoState state, TextWriter notes, CancellationToken stop)
    {
        var earlier = DemoState.Read(home);
        if ((earlier is null && Directory.Exists(home.GatewayState)) || await HasForeignDataAsync(lake, earlier?.Lake == state.Lake, stop))
            throw new LeanPipeException("cli.home_not_empty", $"{home.Path}, or the lake {lake.Root}, holds data that no demo made. Choose another folder with --home.");
        if (earlier is not null) await notes.WriteLineAsync($"A demo ran in {home.Path} before: starting afresh, with its documents as they were.");
        state.Write(home);
        return await PrepareAsync(home, lake, state, notes, stop);
    }

    public static async Task<DemoState> PrepareAsync(HomeFolder home, LakeOptions lake, DemoState state, TextWriter notes, CancellationToken stop)
    {
        await EmptyAsync(home, lake, stop);
        DemoDocuments.WriteTo(home);
        var port = state.StreamPort;
        if (!Ports.IsFree(new(IPAddress.Loopback, port)))
        {
            await notes.WriteLineAsync($"Port {port} is taken: the stream takes any free one.");
            port = 0;
        }
        if (port != DocumentPort)
        {
            var document = home.In("config", "streams", "telemetry.yaml");
            await File.WriteAllTextAsync(document, (await File.ReadAllTextAsync(document, stop)).Replace($":{DocumentPort}", $":{port}", StringComparison.Ordinal), stop);
        }
        state = state with { Prepared = true };
        state.Write(home);
        return state;
    }

    /// <param name="afterDemo">An earlier demo wrote into this lake: what bears its names is its own.</param>
    static async Task<bool> HasForeignDataAsync(LakeOptions lake, bool afterDemo, CancellationToken stop)
    {
        if (!lake.IsS3 && !Directory.Exists(lake.Root)) return false;
        var store = ObjectStores.Open(lake);
        foreach (var prefix in LakeLayout.Prefixes)
            await foreach (var item in store.ListAsync(prefix, stop))
                if (!afterDemo || !IsDemos(item.Key)) return true;
        return false;
    }

    static bool IsDemos(string key) => key.Split('/') switch
    {
        ["raw" or "rejected" or "windows" or "ledger", var stream, ..] => stream == DemoReport.Stream,
        ["tables", var table, ..] => table == DemoReport.Table,
        _ => true,
    };

    static async Task EmptyAsync(HomeFolder home, LakeOptions lake, CancellationToken stop)
    {
        var store = ObjectStores.Open(lake);
        foreach (var prefix in LakeLayout.Prefixes)
            await foreach (var item in store.ListAsync(prefix, stop)) await store.DeleteAsync(item.Key, stop);
        foreach (var folder in (string[])[home.GatewayState, home.SidecarState])
            if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
    }
}
