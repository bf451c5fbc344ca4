using System.Text.Json;
using LeanPipe.Cli.Audits;
using LeanPipe.Contracts;
using LeanPipe.Integration.Gateway;
using LeanPipe.Integration.Orchestrator;
using LeanPipe.Lake;

namespace LeanPipe.Integration.Cli;

/// <summary>A lake that a gateway and a run have made, once for all tests; each damages a copy.</summary>
public sealed class AuditedLake : IAsyncLifetime
{
    const string Pipeline = """
        pipeline: p
        steps:
          compact:
            inputs: { raw: { stream: seq } }
            fan_out: { bytes: 1B }
            sql: compact.sql
          once:
            inputs: { t: compact }
            sql: once.sql
            dedupe: [seq]
            publish: { table: seqs }
        """;

    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("leanpipe-audit-");

    public string Lake => Path.Combine(_folder.FullName, "lake");

    public async ValueTask InitializeAsync()
    {
        var stream = GatewayUnderTest.Seq with { SealWhenIdleFor = TimeSpan.FromMilliseconds(1), Limits = GatewayUnderTest.Seq.Limits with { CutAtBytes = 1 } };
        WindowSealed window = null!;
        await using (var gateway = await GatewayUnderTest.StartAsync(GatewayUnderTest.InNormalSizes(GatewayUnderTest.Options(_folder.FullName, stream))))
        {
            foreach (var (first, count) in new[] { (1, 20), (11, 20) })
            {
                // The second connection sends ten again that the first has sent, one bad frame and half a frame.
                using var sender = await gateway.ConnectAsync();
                await sender.SendAsync(string.Concat(Enumerable.Range(first, count).Select(i => Sender.Line(i) + "\n")) + "bad\n{\"seq");
                await sender.AcknowledgedAsync(count + 1);
                await sender.FinishAsync();
                window = await gateway.NextPublishedAsync();
            }
        }
        await using var lab = await OrchestratorLab.StartAsync(
            new LakeOptions { Root = Lake }, Pipeline, ("compact.sql", "SELECT seq FROM raw"), ("once.sql", "SELECT DISTINCT seq FROM t"), ("../../streams/seq.yaml", """
                stream: seq
                listen: 127.0.0.1:0
                schema: { fields: { seq: int64, t: timestamp } }
                event_time: t
                """));
        var state = await lab.RunAsync("r1", new { pipeline = "p", window = window.Window.Value });
        state.RuntimeStatus.ShouldBe(Dapr.Workflow.WorkflowRuntimeStatus.Completed, $"{state.FailureDetails}");
    }

    public ValueTask DisposeAsync()
    {
        _folder.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }
}

public sealed class AuditTests(AuditedLake made) : IClassFixture<AuditedLake>, IDisposable
{
    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("leanpipe-damaged-");

    public void Dispose() => _folder.Delete(recursive: true);

    string Lake => Path.Combine(_folder.FullName, "lake");

    async Task<Audit> AuditAsync(bool read = false) => await Audit.ReadAsync(ObjectStores.Open(new() { Root = Lake }), new("seq"), default, read);

    [Fact]
    public async Task An_untouched_lake_holds_from_the_sockets_to_the_table()
    {
        Copy();
        var audit = await AuditAsync(read: true);
        audit.Breaks.ShouldBeEmpty();
        audit.Balances.ShouldBeTrue();
        audit.Records.ShouldBe(40);
        audit.Rejects.ShouldBe(new Dictionary<string, long> { ["bad_json"] = 2 });
        audit.BytesPartial.ShouldBe(10);
        var run = audit.Runs.ShouldHaveSingleItem();
        run.RowsRead.ShouldBe(40);
        run.Steps.ShouldBe([new("compact", 40, 40), new("once", 40, 30, 10)]);
        run.Published.ShouldHaveSingleItem().Rows.ShouldBe(30);
        run.Behind.ShouldBeFalse();

        var ledger = Read<Ledger>(LakeLayout.Ledger(new("seq"), "gateway-0"));
        ledger.ByConnection!.Select(c => (c.IsOpen, c.Records, c.Rejects, c.BytesPartial)).ShouldBe([(false, 20, 1, 5), (false, 20, 1, 5)]);
        ledger.Stored.ShouldBe(ledger.Windows);
        ledger.Listed.ShouldBe(ledger.Windows);
        ledger.ByArrival!.Sum(a => a.BytesReceived).ShouldBe(ledger.BytesReceived);
        ledger.ByArrival!.Sum(a => a.Stored!.Rows).ShouldBe(2);
        audit.Rejected!.Objects.ShouldBe(2);
    }

    [Fact]
    public async Task The_command_names_the_place_and_ends_with_1()
    {
        Copy();
        (await LeanPipeProcess.RunAsync(_folder.FullName, "audit", "--stream", "seq", "--lake", Lake)).Code.ShouldBe(0);
        var gone = First("tables/seqs", "*.parquet");
        File.Delete(Path.Combine(Lake, gone));
        var (code, output) = await LeanPipeProcess.RunAsync(_folder.FullName, "audit", "--stream", "seq", "--lake", Lake);
        code.ShouldBe(1);
        output.ShouldContain($"The first place where a sum breaks is the file of table seqs: bytes of the file: expected");
        output.ShouldContain(gone);
    }

    public static TheoryData<string, string> Removed => new()
    {
        { "raw/seq", "*.ndjson" }, { "windows/seq", "000002.json" }, { "runs/r1/compact/00000", "part-*" }, { "tables/seqs", "*.parquet" },
    };

    [Theory, MemberData(nameof(Removed))]
    public async Task What_is_gone_is_named(string folder, string pattern)
    {
        Copy();
        var gone = First(folder, pattern);
        File.Delete(Path.Combine(Lake, gone));
        await ShouldNameAsync(gone.Replace("000002", "000001", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("raw/seq", "*.ndjson")]
    [InlineData("runs/r1/compact/00000", "part-*")]
    [InlineData("tables/seqs", "*.parquet")]
    public async Task What_is_cut_short_is_named(string folder, string pattern)
    {
        Copy();
        var cut = First(folder, pattern);
        var bytes = await File.ReadAllBytesAsync(Path.Combine(Lake, cut));
        await File.WriteAllBytesAsync(Path.Combine(Lake, cut), bytes[..^1]);
        var found = await ShouldNameAsync(cut);
        (found.Expected, found.Found).ShouldBe((bytes.Length, bytes.Length - 1));
    }

    [Theory]
    [InlineData("raw/seq", "*.ndjson")]
    [InlineData("tables/seqs", "*.parquet")]
    public async Task A_changed_byte_is_found_by_reading(string folder, string pattern)
    {
        Copy();
        var changed = First(folder, pattern);
        var bytes = await File.ReadAllBytesAsync(Path.Combine(Lake, changed));
        bytes[10] ^= 1;
        await File.WriteAllBytesAsync(Path.Combine(Lake, changed), bytes);
        (await AuditAsync()).Breaks.ShouldBeEmpty();
        await ShouldNameAsync(changed, read: true);
    }

    [Theory]
    [InlineData("ledger/seq/gateway-0.json", "\"bytes_rejected\":4,", "\"bytes_rejected\":5,", "connection")]
    [InlineData("ledger/seq/gateway-0.json", "\"records\":40,", "\"records\":41,", "connections of")]
    [InlineData("ledger/seq/gateway-0.json", "\"windows\":{\"2026-01-01T10\":40}", "\"windows\":{\"2026-01-01T10\":39}", "windows of")]
    [InlineData("ledger/seq/gateway-0.json", "\"listed\":{\"2026-01-01T10\":40}", "\"listed\":{\"2026-01-01T10\":41}", "window 2026-01-01T10 of")]
    [InlineData("windows/seq/2026-01-01T10/000002.json", "\"rows\":20,", "\"rows\":21,", "manifest of window")]
    [InlineData("windows/seq/2026-01-01T10/000002.json", "\"rows\":20,", "\"rows\":19,", "manifest of window")]
    [InlineData("runs/r1/plan.json", "\"rows\":20,", "\"rows\":22,", "plan of run")]
    [InlineData("runs/r1/compact/manifest.json", "\"rows_in\":40,", "\"rows_in\":41,", "step compact")]
    [InlineData("runs/r1/once/manifest.json", "\"rows_out\":30,", "\"rows_out\":29,", "step once")]
    [InlineData("runs/r1/run.json", "\"rows\":30", "\"rows\":31", "step once", "runs/r1/run.json")]
    [InlineData("tables/seqs/_delta_log/00000000000000000000.json", "{\\\"numRecords\\\":30,", "{\\\"numRecords\\\":31,", "window 2026-01-01T10 of table")]
    public async Task A_count_that_somebody_edited_is_named(string key, string from, string to, string place, string? named = null)
    {
        Copy();
        var path = Path.Combine(Lake, key);
        var text = await File.ReadAllTextAsync(path);
        var at = text.IndexOf(from, StringComparison.Ordinal);
        at.ShouldBeGreaterThanOrEqualTo(0, $"{from} in {text}");
        await File.WriteAllTextAsync(path, text[..at] + to + text[(at + from.Length)..]);
        (await ShouldNameAsync(named ?? key)).Place.ShouldStartWith(place);
    }

    [Fact]
    public async Task Rejects_that_are_gone_cut_short_or_doubled_break_the_sum_of_the_window_they_came_in()
    {
        Copy();
        var first = First("rejected/seq", "*.ndjson");
        var path = Path.Combine(Lake, first);
        var bytes = await File.ReadAllBytesAsync(path);
        File.Delete(path);
        var gone = await ShouldNameRejectsAsync(first);
        (gone.Expected - gone.Found).ShouldBe(1);

        await File.WriteAllBytesAsync(path, bytes[..^1]);
        var cut = await ShouldNameRejectsAsync(first);
        (cut.Claim, cut.Expected - cut.Found).ShouldBe(("bytes of these objects", 1));

        await File.WriteAllBytesAsync(path, bytes);
        var position = first.Length - ".ndjson".Length - 1;
        File.Copy(path, Path.Combine(Lake, first[..position] + (first[position] == '0' ? '1' : '0') + ".ndjson"));
        var audit = await AuditAsync();
        audit.Breaks.ShouldNotBeEmpty();
        audit.Breaks[0].Claim.ShouldBe("objects of rejects, by the ledger = below this prefix");
    }

    [Theory]
    [InlineData("bad_json", "bad_jsom", "the objects' SHA-256 are as written (1 = they are)")]
    [InlineData("\"bytes\":4", "\"bytes\":5", "bytes of rejected frames, by the ledger = by their lines")]
    [InlineData("{\"code\"", "[\"code\"", "lines that say what was rejected")]
    public async Task A_reject_that_somebody_altered_is_found_by_reading(string from, string to, string claim)
    {
        Copy();
        var first = First("rejected/seq", "*.ndjson");
        var text = await File.ReadAllTextAsync(Path.Combine(Lake, first));
        text.ShouldContain(from);
        await File.WriteAllTextAsync(Path.Combine(Lake, first), text.Replace(from, to, StringComparison.Ordinal));
        (await AuditAsync()).Breaks.ShouldBeEmpty();
        (await ShouldNameRejectsAsync(first, read: true)).Claim.ShouldBe(claim);
    }

    [Fact]
    public async Task Rejects_that_housekeeping_took_are_not_missed()
    {
        Copy();
        var first = First("rejected/seq", "*.ndjson");
        var bytes = new FileInfo(Path.Combine(Lake, first)).Length;
        Directory.CreateDirectory(Path.Combine(Lake, "housekeeping", "log"));
        await File.WriteAllTextAsync(
            Path.Combine(Lake, "housekeeping", "log", "p-00001.ndjson"), $$"""{"at":"2026-02-01T00:00:00Z","rule":"rejected","key":"{{first}}","bytes":{{bytes}},"why":"old"}""" + "\n");
        File.Delete(Path.Combine(Lake, first));
        var audit = await AuditAsync(read: true);
        audit.Breaks.ShouldBeEmpty();
        (audit.Rejected!.Objects, audit.Rejected.Taken).ShouldBe((1, 1));
    }

    [Fact]
    public async Task Segments_that_housekeeping_took_are_not_missed_and_those_of_later_revisions_are()
    {
        Copy();
        Directory.CreateDirectory(Path.Combine(Lake, "housekeeping", "retired", "seq"));
        await File.WriteAllTextAsync(
            Path.Combine(Lake, "housekeeping", "retired", "seq", "2026-01-01T10.json"),
            """{"version":1,"stream":"seq","window":"2026-01-01T10","revision":1,"rows":20,"bytes":1,"segments":1,"at":"2026-02-01T00:00:00Z"}""");
        foreach (var segment in Read<WindowManifest>(LakeLayout.WindowManifest(new("seq"), WindowId.Parse("2026-01-01T10"), 1)).Segments) File.Delete(Path.Combine(Lake, segment.Key));
        (await AuditAsync(read: true)).Breaks.ShouldBeEmpty();

        var late = First("raw/seq", "*.ndjson");
        File.Delete(Path.Combine(Lake, late));
        await ShouldNameAsync(late);
    }

    /// <summary>The first break names the object, when it is the only one that came in its window, or the window's prefix.</summary>
    async Task<Break> ShouldNameRejectsAsync(string key, bool read = false)
    {
        var audit = await AuditAsync(read);
        audit.Balances.ShouldBeFalse();
        var found = audit.Breaks[0];
        found.Place.ShouldStartWith("rejects of gateway-0 that arrived in ");
        if (found.Key.EndsWith('/')) key.ShouldStartWith(found.Key);
        else found.Key.ShouldBe(key);
        return found;
    }

    async Task<Break> ShouldNameAsync(string key, bool read = false)
    {
        var audit = await AuditAsync(read);
        audit.Balances.ShouldBeFalse();
        audit.Breaks.ShouldNotBeEmpty();
        audit.Breaks[0].Key.ShouldBe(key, string.Join('\n', audit.Breaks));
        return audit.Breaks[0];
    }

    T Read<T>(string key) where T : class => (T)JsonSerializer.Deserialize(File.ReadAllBytes(Path.Combine(Lake, key)), typeof(T), ContractsJson.Default)!;

    /// <summary>The key of the first file below a folder of the lake.</summary>
    string First(string folder, string pattern) =>
        Path.GetRelativePath(Lake, Directory.EnumerateFiles(Path.Combine(Lake, folder), pattern, SearchOption.AllDirectories).Order(StringComparer.Ordinal).First());

    void Copy()
    {
        foreach (var file in Directory.EnumerateFiles(made.Lake, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(Lake, Path.GetRelativePath(made.Lake, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }
}
