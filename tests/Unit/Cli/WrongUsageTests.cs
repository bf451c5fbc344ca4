using System.Text;
using LeanPipe.Cli;
using LeanPipe.Unit.Repository;

namespace LeanPipe.Unit.Cli;

/// <summary>What a person reads who calls a command wrongly, in several ways: tests/golden/cli/wrong-COMMAND.txt. LEANPIPE_WRITE_GOLDEN=1 writes the files anew.</summary>
public sealed class WrongUsageTests : IDisposable
{
    readonly string _home = Directory.CreateTempSubdirectory("leanpipe-cli-").FullName;

    // With a lake that is empty: without one, that is what is said.
    public WrongUsageTests() => Directory.CreateDirectory(Path.Combine(_home, "lake"));

    public void Dispose() => Directory.Delete(_home, recursive: true);

    /// <summary>Words are parted by spaces; '' is an empty one, and a ~ stands for a space.</summary>
    public static TheoryData<string, string[]> Calls => new()
    {
        { "nothing", ["", "--hlep", "help", "''", "--home x", "runs --home ''", "runs --lake ''", "--verbose run p --window yesterday"] },
        { "demo", ["demo --records 0", "demo --records 1e6", "demo --seed -1", "demo --stream-port x", "demo now"] },
        { "up", ["up --port -1", "up --dapr-http-port", "up --dapr-grpc-port 65536", "up --until-idle maybe", "up --until-idel"] },
        { "send", ["send", "send x", "send x --stream", "send x --stream s --ack yes", "send x --stream s --connections many", "send x --stream s --rate -1", "send x --stream s --rate NaN", "send x y --stream s"] },
        { "plan", ["plan", "plan p", "plan p --window 2026-13-01", "plan p --window 2026-01-01T24", "plan p --window 2026-01-01 --revision x", "plan p --window 2026-01-01 --revision 0", "plan P! --window 2026-01-01", "plan p --window 2026-01-01 --param kind", "plan p --window 2026-01-01"] },
        { "run", ["run", "run p --window", "run p --window 2026-01-01T10:00", "run p --window 2026-01-01 --param =x", "run p --window 2026-01-01 --param a=1 --param a=2", "run p --window 2026-01-01 --id a/b", "run p --window 2026-01-01 --sidecar localhost:3500", "run p --window 2026-01-01 --sidecar http://127.0.0.1:1 --id r"] },
        { "backfill", ["backfill", "backfill p", "backfill p --from 2026-01-01", "backfill p --from 2026-02-01 --to 2026-01-01", "backfill p --from 2026-01-01 --to 2026-01-01", "backfill p --from 2026-01-01 --to tomorrow", "backfill p --from 2026-01-01 --to 2026-01-02 --parallel 0", "backfill p --from 2026-01-01 --to 2026-01-02"] },
        { "runs", ["runs all", "runs --limit 0", "runs --limit -5", "runs --limit ten", "runs -o", "runs --output csv"] },
        { "status", ["status", "status a b", "status ''", "status ../../etc", "status x -o yaml", "status x"] },
        { "why", ["why", "why r", "why r Step!", "why r s --tasks 0", "why r s --tasks x", "why r s"] },
        { "retry", ["retry", "retry a~b", "retry r --wait maybe", "retry r --sidecar ftp://x", "retry r"] },
        { "cancel", ["cancel", "cancel ''", "cancel r --orchestrator 8080", "cancel r", "cancel r --orchestrator http://127.0.0.1:1"] },
        { "query", ["query", "query ''", "query SELECT~1 --rows -1", "query SELECT~1 --as-of yesterday", "query SELECT~1;~SELECT~2", "query DROP~TABLE~x", "query SELECT~1~+", "query SELECT 1", "query SELECT~*~FROM~'/etc/passwd'"] },
        { "audit", ["audit", "audit telemetry", "audit --stream", "audit --stream Telemetry", "audit --stream telemetry --read yes", "audit --stream telemetry"] },
        { "validate", ["validate", "validate ''", "validate {home}", "validate {home}/none.yaml", "validate {home}/none.yaml -o xml"] },
        { "schema", ["schema", "schema import", "schema export", "schema export nothing", "schema export nothing --schema", "schema export a b", "schema export ''"] },
        { "replay", ["replay", "replay --stream nothing", "replay --stream s --window", "replay --stream {home}/s.yaml --window yesterday", "replay --stream {home}/s.yaml --schema v9 --sidecar x", "replay --stream s --rejected only"] },
        { "gateway", ["gateway", "gateway stop", "gateway drain now", "gateway drain --gateway x", "gateway drain --gateway http://127.0.0.1:1", "gateway adopt", "gateway adopt --log", "gateway adopt --log {home}/none", "gateway adopt --log ''"] },
        { "housekeeping", ["housekeeping now", "housekeeping --rows -1", "housekeeping --rows few", "housekeeping --dry-run perhaps", "housekeeping -o xml"] },
    };

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task Whoever_is_wrong_is_told_what_is_and_what_was_expected(string command, string[] calls)
    {
        await File.WriteAllTextAsync(
            Path.Combine(_home, "s.yaml"), "{ stream: s, listen: '127.0.0.1:0', schema: { fields: { at: timestamp } }, event_time: at }", TestContext.Current.CancellationToken);
        var shown = new StringBuilder();
        foreach (var call in calls) await ShowAsync(shown, call);
        var found = shown.Replace(_home, "{home}").ToString();
        found.ShouldNotContain("This is a bug");
        var file = Path.Combine(Tree.Root, "tests", "golden", "cli", $"wrong-{command}.txt");
        if (Environment.GetEnvironmentVariable("LEANPIPE_WRITE_GOLDEN") == "1") await File.WriteAllTextAsync(file, found, TestContext.Current.CancellationToken);
        found.ShouldBe(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));
    }

    async Task ShowAsync(StringBuilder shown, string call)
    {
        var words = call.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(w => w == "''" ? "" : w.Replace('~', ' ').Replace("{home}", _home, StringComparison.Ordinal)).ToList();
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        var code = await CommandLine.RunAsync(words.Contains("--home") ? words : ["--home", _home, .. words], output, error, TestContext.Current.CancellationToken);
        // With --verbose the place in the code follows, which is nobody's to keep.
        var said = string.Join('\n', error.ToString().Split('\n').Where(l => !l.StartsWith("   at ", StringComparison.Ordinal) && !l.StartsWith("--- End of", StringComparison.Ordinal)));
        var printed = output.ToString();
        shown.Append($"$ leanpipe {call.Replace('~', ' ')}\n").Append(printed.Contains("Usage:", StringComparison.Ordinal) ? "(the help)\n" : printed).Append(said).Append($"--- exit code {code}\n\n");
    }
}
