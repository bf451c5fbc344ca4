using System.Text;
using LeanPipe.Lake;
using LeanPipe.Orchestrator;
using LeanPipe.Tests;
using Microsoft.Extensions.Logging.Abstractions;

namespace LeanPipe.Unit.Orchestrator;

/// <summary>The event of a window whose manifest is not in the lake.</summary>
public sealed class WindowSealedTests : IDisposable
{
    const string Event = """{"stream":"telemetry","window":"2026-03-01T10","revision":1,"manifest":"windows/telemetry/2026-03-01T10/000001.json"}""";

    readonly Lab _lab = new();
    readonly ManualTime _time = new(DateTimeOffset.UnixEpoch);

    public void Dispose() => _lab.Dispose();

    [Fact]
    public async Task It_is_dropped_when_the_manifest_is_still_not_there_after_ten_minutes()
    {
        await _lab.SealAsync();
        var endpoint = Endpoint();
        (await AnswerAsync(endpoint)).ShouldBe(EventAnswer.Retry);
        _time.Advance(TimeSpan.FromMinutes(9));
        (await AnswerAsync(endpoint)).ShouldBe(EventAnswer.Retry);
        _time.Advance(TimeSpan.FromMinutes(1));
        (await AnswerAsync(endpoint)).ShouldBe(EventAnswer.Drop);
        (await AnswerAsync(endpoint)).ShouldBe(EventAnswer.Retry, "another event of the window has its own ten minutes");
    }

    [Fact]
    public async Task It_waits_in_a_lake_that_knows_nothing_of_the_stream()
    {
        var endpoint = Endpoint();
        for (var hour = 0; hour < 48; hour++)
        {
            (await AnswerAsync(endpoint)).ShouldBe(EventAnswer.Retry);
            _time.Advance(TimeSpan.FromHours(1));
        }
    }

    WindowSealedEndpoint Endpoint() => new(_lab.Store, new(_lab.Config), new(_lab.Store, null!), _time, NullLogger<WindowSealedEndpoint>.Instance);

    static async Task<EventAnswer> AnswerAsync(WindowSealedEndpoint endpoint)
    {
        using var body = new MemoryStream(Encoding.UTF8.GetBytes(Event));
        return await endpoint.HandleAsync(body, TestContext.Current.CancellationToken);
    }
}
