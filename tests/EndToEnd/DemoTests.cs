using System.Text.Json;

namespace LeanPipe.EndToEnd;

/// <summary>The demo as a person runs it, whole, and what is left of it when its one process dies.</summary>
public sealed class DemoTests
{
    const string Table = "SELECT sensor_id, start_time, readings, avg_value, min_value, max_value FROM temperatures_hourly ORDER BY ALL";

    static readonly string[] Demo = ["demo", "--records", "20000", "--stream-port", "0", .. FreePorts];
    static readonly string[] Up = ["up", "--until-idle", .. FreePorts];

    static string[] FreePorts => ["--dapr-http-port", "0", "--dapr-grpc-port", "0", "--port", "0"];

    [Fact]
    public async Task The_demo_ends_with_a_ledger_that_balances_and_the_table_that_it_knows_it_sent()
    {
        using var home = new TemporaryHome();
        var (code, output) = await CliProcess.RunAsync(home.Path, Demo);
        code.ShouldBe(0, output);
        output.ShouldContain("The ledger balances, and every sensor and hour of the table is what was sent.");
        foreach (var reason in new[] { "bad_json", "frame_too_large", "missing_field", "unknown_enum_value", "wrong_type" }) output.ShouldContain(reason);
        output.ShouldContain("records came after their window was sealed");
        foreach (var line in output.Split('\n').Where(l => l.TrimStart().StartsWith("bytes ", StringComparison.Ordinal) || l.TrimStart().StartsWith("frames ", StringComparison.Ordinal)))
            line.TrimEnd().ShouldEndWith("balances");
    }

    [Fact]
    public async Task Kill_9_of_the_one_process_at_any_of_twenty_moments_and_up_ends_with_the_same_table()
    {
        using var whole = new TemporaryHome();
        int events;
        string expected;
        using (var writes = new WriteCounter(whole.Path))
        {
            var (code, output) = await CliProcess.RunAsync(whole.Path, Demo);
            code.ShouldBe(0, output);
            events = writes.Count;
            expected = await QueryAsync(whole.Path);
        }
        JsonDocument.Parse(expected).RootElement.GetArrayLength().ShouldBe(150);

        const int moments = 20;
        for (var moment = 1; moment <= moments; moment++)
        {
            using var home = new TemporaryHome();
            using var writes = new WriteCounter(home.Path);
            await using (var demo = CliProcess.Start(home.Path, Demo))
            {
                var moreWrites = writes.ReachesAsync(events * moment / (moments + 1));
                // The run may make fewer writes than the first one did; then it is over, which is a moment too.
                await Task.WhenAny(moreWrites, demo.ExitAsync());
                demo.Kill();
            }
            var (code, output) = await CliProcess.RunAsync(home.Path, Up);
            code.ShouldBe(0, $"moment {moment}: {output}");
            (await QueryAsync(home.Path)).ShouldBe(expected, $"moment {moment}: {output}");
            var audit = await CliProcess.RunAsync(home.Path, "audit", "--stream", "telemetry");
            audit.ExitCode.ShouldBe(0, $"moment {moment}: {audit.Output}");
        }
    }

    [Fact]
    public async Task Ctrl_C_in_the_demo_ends_it_and_its_children_and_up_goes_on_with_it()
    {
        using var home = new TemporaryHome();
        using var writes = new WriteCounter(home.Path);
        await using (var demo = CliProcess.Start(home.Path, Demo))
        {
            await demo.LinesAsync("Sending");
            await writes.ReachesAsync(40);
            demo.Interrupt();
            (await demo.ExitAsync()).ShouldNotBe(0);
        }
        // They end with their parent, each at its own pace.
        using (var moment = new PeriodicTimer(TimeSpan.FromMilliseconds(50)))
            while (ChildrenOf(home.Path).Any()) await moment.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        var (code, output) = await CliProcess.RunAsync(home.Path, Up);
        code.ShouldBe(0, output);
        JsonDocument.Parse(await QueryAsync(home.Path)).RootElement.GetArrayLength().ShouldBe(150);
    }

    static async Task<string> QueryAsync(string home)
    {
        var (code, output) = await CliProcess.RunAsync(home, "query", Table, "-o", "json");
        code.ShouldBe(0, output);
        return output;
    }

    /// <summary>Processes whose environment or command line names the home.</summary>
    static IEnumerable<string> ChildrenOf(string home)
    {
        foreach (var process in Directory.EnumerateDirectories("/proc").Where(d => int.TryParse(Path.GetFileName(d), out _)))
        {
            string command;
            try
            {
                command = File.ReadAllText(Path.Combine(process, "cmdline")) + File.ReadAllText(Path.Combine(process, "environ"));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                continue; // It ended while we looked.
            }
            if (command.Contains(home, StringComparison.Ordinal)) yield return command.Replace('\0', ' ');
        }
    }
}
