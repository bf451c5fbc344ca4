using System.Diagnostics;
using System.Text.Json;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Benchmarks.Ingest;

/// <summary>Where the gateway's records have to be for a case to end.</summary>
enum Destination
{
    /// <summary>In the write-ahead log, after its fsync. Nothing is cut or uploaded meanwhile.</summary>
    Log,

    /// <summary>In segments of a folder on the same disk, their window sealed; segments have the default size.</summary>
    FolderLake,

    /// <summary>In segments of an S3 store, their window sealed.</summary>
    S3Lake,
}

/// <summary>The gateway as it is shipped, with its log on the disk of the temporary folder.</summary>
/// <param name="program">LeanPipe.Gateway.dll.</param>
/// <param name="sidecarPort">Takes the events of sealed windows.</param>
sealed class GatewayServer(string program, Destination destination, bool acked, int sidecarPort) : Server
{
    readonly HttpClient _http = new();
    readonly int _httpPort = FreePort.Next();
    LakeOptions? _lake;

    protected override async Task<ProcessStartInfo> PrepareAsync()
    {
        _lake = destination == Destination.S3Lake ? await S3Lake.NewAsync() : new() { Root = Path.Combine(Folder.FullName, "lake") };

        // A log-only case keeps every line uncut: no size, age, watermark or silence is due before it ends.
        var limits = destination == Destination.Log ? "cut_at: 1GB, cut_after: 1h" : "cut_at: 64MB";
        var streams = Directory.CreateDirectory(Path.Combine(Folder.FullName, "config", "streams"));
        await File.WriteAllTextAsync(Path.Combine(streams.FullName, "telemetry.yaml"), $$"""
            stream: telemetry
            listen: 127.0.0.1:{{Port}}
            {{TelemetryLines.Schema}}
            event_time: timestamp
            window: {{(destination == Destination.Log ? "10m" : "1h")}}
            lateness: 1h
            seal_when_idle_for: {{(destination == Destination.Log ? "1h" : "2s")}}
            ack: {{(acked ? "durable" : "none")}}
            limits: { {{limits}} }
            """);
        var start = new ProcessStartInfo("dotnet", [
            program, "--streams", Path.Combine(Folder.FullName, "config"), "--log", Path.Combine(Folder.FullName, "log"), "--id", "gateway-0", "--http", $"127.0.0.1:{_httpPort}"]);
        foreach (var (name, value) in _lake.ToEnvironment()) start.Environment[name] = value;
        start.Environment["DAPR_HTTP_PORT"] = $"{sidecarPort}";
        return start;
    }

    public override Task ReceivedAsync(long lines) => UntilAsync(async () =>
    {
        var ledger = JsonSerializer.Deserialize(await _http.GetStringAsync($"http://127.0.0.1:{_httpPort}/v1/ledger/telemetry"), ContractsJson.Default.Ledger)!;
        if (ledger.Frames > ledger.Records) throw new InvalidOperationException($"The gateway rejected lines of the benchmark: {string.Join(", ", ledger.Rejects.Keys)}.");
        return ledger.Records == lines;
    });

    public override async Task DoneAsync(long lines)
    {
        if (destination == Destination.Log) return;
        var store = ObjectStores.Open(_lake!);
        await UntilAsync(async () => await SealedRowsAsync(store) == lines);
        (store as IDisposable)?.Dispose();
    }

    public override async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await base.DisposeAsync();
        if (destination == Destination.S3Lake && _lake is not null) await S3Lake.DeleteAsync(_lake);
    }

    /// <summary>Of the newest revision of every window.</summary>
    static async Task<long> SealedRowsAsync(IObjectStore store)
    {
        var newest = new Dictionary<string, string>();
        await foreach (var item in store.ListAsync("windows/telemetry/", default))
        {
            var window = item.Key[..item.Key.LastIndexOf('/')];
            if (!newest.TryGetValue(window, out var key) || string.CompareOrdinal(item.Key, key) > 0) newest[window] = item.Key;
        }
        long rows = 0;
        foreach (var key in newest.Values) rows += (await store.GetJsonAsync(key, ContractsJson.Default.WindowManifest, default))!.Rows;
        return rows;
    }
}
