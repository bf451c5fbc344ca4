using System.Text.RegularExpressions;
using LeanPipe.Contracts;
using LeanPipe.Documents;

namespace LeanPipe.Integration.Gateway;

/// <summary>
/// Every folder below tests/golden/gateway is a stream document, the bytes of one connection (wire.txt as they are, or wire.hex), and what the lake holds afterwards:
/// records.ndjson, rejects.ndjson. The gateway reads with a buffer of 16 bytes, so that a frame is hardly ever whole at once.
/// </summary>
public sealed partial class DecoderGoldenTests : IDisposable
{
    static readonly string Golden = SourceTree.In("tests", "golden", "gateway");

    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("leanpipe-decoders-");

    public void Dispose() => _folder.Delete(recursive: true);

    public static TheoryData<string> Cases => [.. Directory.EnumerateDirectories(Golden).Select(d => Path.GetFileName(d)!).Order(StringComparer.Ordinal)];

    [Theory, MemberData(nameof(Cases))]
    public async Task A_connection_becomes_these_records_and_these_rejects(string name)
    {
        var folder = Path.Combine(Golden, name);
        var stream = StreamDocument.Load(Path.Combine(folder, "stream.yaml")).Require() with { Ack = AckMode.Durable };
        var time = new ManualTime(new(2026, 1, 1, 10, 0, 0, 123, TimeSpan.Zero));
        var gateway = await GatewayUnderTest.StartAsync(GatewayUnderTest.Options(_folder.FullName, stream) with { Buffers = GatewayUnderTest.Tiny with { PortionBytes = 16 } }, time: time);
        using (var sender = await gateway.ConnectAsync())
        {
            await sender.SendBytesAsync(Wire(folder));
            await sender.FinishAsync();
        }
        await gateway.StopAsync();
        GatewayUnderTest.ShouldBalance(gateway.Ledger);
        Check(Path.Combine(folder, "records.ndjson"), await gateway.LinesUnderAsync("raw/"));
        Check(Path.Combine(folder, "rejects.ndjson"), [.. (await gateway.LinesUnderAsync("rejected/")).Select(Normal)]);
        await gateway.DisposeAsync();
    }

    /// <summary>Without the peer's port, and without how much happened to be read when a length was bad.</summary>
    static string Normal(string reject)
    {
        reject = PeerMember().Replace(reject, "\"peer\":\"PEER\"");
        return reject.Contains("bad_length", StringComparison.Ordinal) ? RawMembers().Replace(reject, "READ") : reject;
    }

    static void Check(string file, List<string> lines)
    {
        var found = string.Concat(lines.Select(l => l + "\n"));
        if (Environment.GetEnvironmentVariable("LEANPIPE_WRITE_GOLDEN") == "1") File.WriteAllText(file, found);
        found.ShouldBe(File.ReadAllText(file));
    }

    static byte[] Wire(string folder)
    {
        var text = Path.Combine(folder, "wire.txt");
        if (File.Exists(text)) return File.ReadAllBytes(text);
        var lines = File.ReadAllLines(Path.Combine(folder, "wire.hex")).Where(l => !l.StartsWith('#'));
        return Convert.FromHexString(string.Concat(lines).Replace(" ", "", StringComparison.Ordinal));
    }

    [GeneratedRegex("\"peer\":\"[^\"]*\"", RegexOptions.CultureInvariant)]
    private static partial Regex PeerMember();

    [GeneratedRegex("\"bytes\":.*$", RegexOptions.CultureInvariant)]
    private static partial Regex RawMembers();
}
