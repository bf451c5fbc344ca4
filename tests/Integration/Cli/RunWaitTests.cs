using LeanPipe.Cli.Runs;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace LeanPipe.Integration.Cli;

public sealed class RunWaitTests
{
    [Fact]
    public async Task Who_waits_for_a_run_outlasts_a_sidecar_that_is_started_again()
    {
        var asked = 0;
        await using var app = LoopbackApp.Create();
        app.MapGet("/v1.0/workflows/dapr/r", (HttpContext http) =>
        {
            var n = Interlocked.Increment(ref asked);
            if (n is 2 or 3) http.Abort();
            return Results.Text($$"""{"instanceID":"r","runtimeStatus":"{{(n > 3 ? "COMPLETED" : "RUNNING")}}"}""", "application/json");
        });
        await app.StartAsync(TestContext.Current.CancellationToken);
        using var http = new HttpClient();
        (await RunWait.ForAsync(new(http, app.Address()), new("r"), TestContext.Current.CancellationToken)).Completed.ShouldBeTrue();
        asked.ShouldBe(4);
    }
}
