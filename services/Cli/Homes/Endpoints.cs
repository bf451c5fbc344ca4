using System.Text.Json;
using System.Text.Json.Serialization;
using LeanPipe.Cli.Output;

namespace LeanPipe.Cli.Homes;

/// <summary>Where a running `leanpipe up` or `demo` can be reached on this machine.</summary>
/// <param name="Streams">Address and port by stream.</param>
/// <param name="Gateway">The port of its health, ledgers and metrics; 0 in the file of an older program.</param>
sealed record Endpoints(int Pid, DateTimeOffset StartedAt, int DaprHttp, int DaprGrpc, int Orchestrator, IReadOnlyDictionary<string, string> Streams, int Gateway = 0)
{
    [JsonIgnore]
    public Uri Sidecar => new($"http://127.0.0.1:{DaprHttp}");

    public static Endpoints? Read(HomeFolder home)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(home.EndpointsFile), CliJson.Default.Endpoints);
        }
        catch (Exception e) when (e is IOException or JsonException)
        {
            // Not written yet, or being replaced: for a reader both mean that nobody can be reached.
            return null;
        }
    }

    public void Write(HomeFolder home) => AtomicFile.Write(home.EndpointsFile, JsonSerializer.SerializeToUtf8Bytes(this, CliJson.Default.Endpoints));
}
