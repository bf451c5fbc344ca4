using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace LeanPipe.EndToEnd;

/// <summary>CSV lines with a text timestamp go over TCP into daily tables; the figures are computed here a second time.</summary>
public sealed class SensorsCsvTests
{
    [Fact]
    public async Task Lines_sent_are_rows_in_the_table_and_the_daily_figures_are_those_of_a_second_computation()
    {
        using var home = new TemporaryHome();
        home.Configure("sensors-csv");
        var readings = Readings(days: 3, perDay: 288);
        var file = Path.Combine(home.Path, "machine.csv");
        await File.WriteAllTextAsync(file, Csv(readings), TestContext.Current.CancellationToken);

        await using var up = CliProcess.Start(home.Path, "up", "--dapr-http-port", "0", "--dapr-grpc-port", "0", "--port", "0");
        await up.LinesAsync("Ready");
        var send = await CliProcess.RunAsync(home.Path, "send", file, "--stream", "machine");
        send.ExitCode.ShouldBe(0, send.Output);
        // Windows that are sealed together run together, so they may end in any order.
        await up.LinesAsync(readings.Select(r => r.Time.Date).Distinct().Select(day => FormattableString.Invariant($"Run machine-temperature-{day:yyyy-MM-dd}-r1: completed")));

        var counted = await CliProcess.RunAsync(home.Path, "query", "SELECT count(*) AS rows FROM machine_readings", "-o", "json");
        JsonDocument.Parse(counted.Output).RootElement[0].GetProperty("rows").GetInt64().ShouldBe(readings.Count);
        var daily = await CliProcess.RunAsync(home.Path, "query", "SELECT strftime(day, '%Y-%m-%d') AS day, min_value, mean_value, max_value, readings FROM machine_daily ORDER BY day", "-o", "json");
        var rows = JsonDocument.Parse(daily.Output).RootElement.EnumerateArray().ToArray();
        var expected = readings.GroupBy(r => r.Time.Date).OrderBy(g => g.Key).ToArray();
        rows.Length.ShouldBe(expected.Length);
        foreach (var (row, day) in rows.Zip(expected))
        {
            row.GetProperty("day").GetString().ShouldBe(day.Key.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
            row.GetProperty("min_value").GetDouble().ShouldBe(day.Min(r => r.Value));
            row.GetProperty("max_value").GetDouble().ShouldBe(day.Max(r => r.Value));
            row.GetProperty("mean_value").GetDouble().ShouldBe(day.Average(r => r.Value), 1e-9);
            row.GetProperty("readings").GetInt64().ShouldBe(day.Count());
        }

        await StartedThroughDaprsHttpApiAsync(home, up);
        up.Interrupt();
        (await up.ExitAsync()).ShouldBe(0, up.Output);
    }

    /// <summary>The same window once more, started as anybody with an HTTP client would: it completes and changes nothing.</summary>
    static async Task StartedThroughDaprsHttpApiAsync(TemporaryHome home, CliProcess up)
    {
        var token = TestContext.Current.CancellationToken;
        var endpoints = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(home.Path, "state", "endpoints.json"), token)).RootElement;
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{endpoints.GetProperty("dapr_http").GetInt32()}/v1.0/workflows/dapr/") };
        using var body = new StringContent("""{"pipeline":"machine-temperature","window":"2026-03-02"}""", Encoding.UTF8, "application/json");
        using var started = await http.PostAsync("pipeline/start?instanceID=my-run", body, token);
        ((int)started.StatusCode).ShouldBe(202);
        await up.LinesAsync("Run my-run: completed");
        // The record is written in the run's last activity; the workflow's own end follows it.
        JsonElement state;
        do state = await http.GetFromJsonAsync<JsonElement>("my-run", token);
        while (state.GetProperty("runtimeStatus").GetString() == "RUNNING");
        state.GetProperty("runtimeStatus").GetString().ShouldBe("COMPLETED");
        var counted = await CliProcess.RunAsync(home.Path, "query", "SELECT count(*) AS rows FROM machine_readings", "-o", "json");
        JsonDocument.Parse(counted.Output).RootElement[0].GetProperty("rows").GetInt64().ShouldBe(3 * 288);
        var status = await CliProcess.RunAsync(home.Path, "status", "my-run");
        status.ExitCode.ShouldBe(0, status.Output);
    }

    static List<(DateTime Time, double Value)> Readings(int days, int perDay)
    {
        var start = new DateTime(2026, 3, 1, 0, 0, 0, DateTimeKind.Utc);
        return [.. from i in Enumerable.Range(0, days * perDay) select (start.AddMinutes(i * 1440.0 / perDay), Math.Round(70 + 10 * Math.Sin(i / 17.0), 6))];
    }

    static string Csv(IEnumerable<(DateTime Time, double Value)> readings) =>
        readings.Aggregate(new StringBuilder("timestamp,value\n"), (csv, r) => csv.Append(CultureInfo.InvariantCulture, $"{r.Time:yyyy-MM-dd HH:mm:ss},{r.Value:R}\n")).ToString();
}
