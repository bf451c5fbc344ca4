using System.Text;
using LeanPipe.Cli;
using LeanPipe.Unit.Repository;

namespace LeanPipe.Unit.Cli;

/// <summary>What a person reads, word for word: tests/golden/cli. LEANPIPE_WRITE_GOLDEN=1 writes the files anew.</summary>
public sealed class GoldenOutputTests : IDisposable
{
    readonly string _home = Directory.CreateTempSubdirectory("leanpipe-cli-").FullName;

    public void Dispose() => Directory.Delete(_home, recursive: true);

    [Theory]
    [InlineData("help", "--help")]
    [InlineData("help-demo", "demo --help")]
    [InlineData("help-up", "up --help")]
    [InlineData("help-send", "send --help")]
    [InlineData("help-run", "run --help")]
    [InlineData("help-runs", "runs --help")]
    [InlineData("help-status", "status --help")]
    [InlineData("help-retry", "retry --help")]
    [InlineData("help-cancel", "cancel --help")]
    [InlineData("help-why", "why --help")]
    [InlineData("help-plan", "plan --help")]
    [InlineData("help-backfill", "backfill --help")]
    [InlineData("help-query", "query --help")]
    [InlineData("help-validate", "validate --help")]
    [InlineData("help-audit", "audit --help")]
    [InlineData("help-housekeeping", "housekeeping --help")]
    [InlineData("help-replay", "replay --help")]
    [InlineData("help-schema", "schema --help")]
    [InlineData("help-schema-export", "schema export --help")]
    [InlineData("help-gateway", "gateway --help")]
    [InlineData("help-gateway-drain", "gateway drain --help")]
    [InlineData("help-gateway-adopt", "gateway adopt --help")]
    public Task Help_says_what_a_command_takes_and_shows_examples(string golden, string arguments) => MatchesAsync(golden, arguments.Split(' '));

    [Theory]
    [InlineData("usage-unknown-command", "sned x")]
    [InlineData("usage-missing-window", "run telemetry-hourly")]
    [InlineData("usage-bad-window", "run telemetry-hourly --window yesterday")]
    [InlineData("usage-bad-output", "runs -o xml")]
    [InlineData("usage-missing-log", "gateway adopt")]
    [InlineData("usage-bad-run", "status a/b")]
    [InlineData("usage-bad-records", "demo --records abc")]
    [InlineData("usage-bad-port", "up --port 70000")]
    [InlineData("usage-bad-rate", "send x --stream s --rate fast")]
    [InlineData("usage-bad-connections", "send x --stream s --connections 0")]
    public Task Wrong_usage_is_exit_code_2_and_one_message(string golden, string arguments) => MatchesAsync(golden, arguments.Split(' '));

    [Theory]
    [InlineData("validate-errors", "validate {golden}/documents/stream-unknown-keys/stream.yaml {golden}/documents/pipeline-cycles/pipeline.yaml")]
    [InlineData("validate-errors-json", "validate {golden}/documents/stream-event-time-no-timestamp/stream.yaml -o json")]
    [InlineData("validate-absent", "validate {home}/absent.yaml")]
    [InlineData("runs-no-lake", "runs")]
    [InlineData("query-no-lake", "query FROM_temperatures")]
    [InlineData("send-unknown-stream", "send x --stream machine")]
    [InlineData("send-not-running", "run telemetry-hourly --window 2026-01-01T10")]
    public async Task Commands_without_a_lake_say_so_and_make_none(string golden, string arguments)
    {
        await MatchesAsync(golden, [.. arguments.Split(' ').Select(a => a.Replace('_', ' '))]);
        Directory.EnumerateFileSystemEntries(_home).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("runs-empty", "runs")]
    [InlineData("audit-empty", "audit --stream telemetry")]
    [InlineData("query-empty", "query FROM_temperatures")]
    public Task Commands_over_an_empty_lake_say_so(string golden, string arguments)
    {
        Directory.CreateDirectory(Path.Combine(_home, "lake"));
        return MatchesAsync(golden, [.. arguments.Split(' ').Select(a => a.Replace('_', ' '))]);
    }

    [Theory]
    [InlineData("audit", "audit --stream telemetry")]
    [InlineData("audit-json", "audit --stream telemetry -o json")]
    [InlineData("runs", "runs")]
    [InlineData("runs-json", "runs -o json")]
    [InlineData("status", "status telemetry-hourly-2026-01-01T10-r1")]
    [InlineData("status-failed", "status telemetry-hourly-2026-01-01T11-r1")]
    [InlineData("status-running", "status telemetry-hourly-2026-01-01T11-r2")]
    [InlineData("status-json", "status telemetry-hourly-2026-01-01T10-r1 -o json")]
    [InlineData("status-unknown", "status nothing")]
    [InlineData("query", "query FROM_temperatures_hourly")]
    [InlineData("query-json", "query FROM_temperatures_hourly -o json")]
    [InlineData("query-runs", "query FROM_leanpipe_runs_SELECT_run,status,code")]
    [InlineData("query-steps", "query FROM_leanpipe_steps_SELECT_step,tasks,rows^in,seconds")]
    [InlineData("query-tasks", "query FROM_leanpipe_tasks_SELECT_task,attempt,sql^ms,engine")]
    [InlineData("query-limited", "query FROM_temperatures_hourly --rows 1")]
    [InlineData("query-bad-sql", "query SELECT_nothing_FROM_temperatures_hourly")]
    public async Task Reading_commands_print_a_small_lake(string golden, string arguments)
    {
        await SmallLake.WriteAsync(Path.Combine(_home, "lake"));
        // An underscore stands for a space within the SQL, but for the one in the table's name.
        var words = arguments.Split(' ').Select((w, i) => i == 1 && golden.StartsWith("query", StringComparison.Ordinal) ? w.Replace('_', ' ').Replace("temperatures hourly", "temperatures_hourly", StringComparison.Ordinal)
            .Replace("leanpipe ", "leanpipe_", StringComparison.Ordinal).Replace('^', '_') : w);
        await MatchesAsync(golden, [.. words]);
    }

    async Task MatchesAsync(string golden, string[] arguments)
    {
        var folder = Path.Combine(Tree.Root, "tests", "golden");
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        var code = await CommandLine.RunAsync(
            [.. arguments.Select(a => a.Replace("{golden}", folder, StringComparison.Ordinal).Replace("{home}", _home, StringComparison.Ordinal)), "--home", _home], output, error, TestContext.Current.CancellationToken);
        var shown = new StringBuilder($"$ leanpipe {string.Join(' ', arguments)}\n").Append(output).Append(error.ToString() is { Length: > 0 } e ? $"--- error\n{e}" : "").Append($"--- exit code {code}\n");
        var found = shown.Replace(folder, "{golden}").Replace(_home, "{home}").ToString();
        var file = Path.Combine(folder, "cli", $"{golden}.txt");
        if (Environment.GetEnvironmentVariable("LEANPIPE_WRITE_GOLDEN") == "1") await File.WriteAllTextAsync(file, found, TestContext.Current.CancellationToken);
        found.ShouldBe(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));
    }
}
