using System.Text.Json;
using System.Text.Json.Serialization;
using LeanPipe.Cli.Homes;
using LeanPipe.Cli.Output;

namespace LeanPipe.Cli.Demo;

/// <summary>What a demo is sending and how far it is, on disk, so that the next process goes on with it.</summary>
/// <param name="Acked">Frames that each connection had acknowledged; behind the truth by what was acknowledged since, which is then sent twice.</param>
/// <param name="Lake">Where its data goes: what lies elsewhere is not the demo's.</param>
/// <param name="StreamPort">Where its stream listens, for the document that it writes; 0 takes any free port.</param>
/// <param name="Prepared">The home is empty but for the demo's documents. A process that finds it false makes it so first.</param>
/// <param name="Sent">Every frame is acknowledged.</param>
/// <param name="Interrupted">A process ended before it was: frames may have come twice.</param>
sealed record DemoState(long Records, ulong Seed, string Lake, IReadOnlyList<long> Acked, int StreamPort = 7001, bool Prepared = false, bool Sent = false, bool Interrupted = false)
{
    [JsonIgnore]
    public TelemetryOptions Options => new(Records, Seed);

    public static DemoState? Read(HomeFolder home)
    {
        if (!File.Exists(home.DemoFile)) return null;
        return JsonSerializer.Deserialize(File.ReadAllBytes(home.DemoFile), CliJson.Default.DemoState);
    }

    public void Write(HomeFolder home) => AtomicFile.Write(home.DemoFile, JsonSerializer.SerializeToUtf8Bytes(this, CliJson.Default.DemoState));
}
