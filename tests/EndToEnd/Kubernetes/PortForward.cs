using System.Text.RegularExpressions;

namespace LeanPipe.EndToEnd.Kubernetes;

/// <summary><c>kubectl port-forward</c> to a Service, for as long as this lives.</summary>
sealed partial class PortForward : IAsyncDisposable
{
    readonly CancellationTokenSource _stop = new();
    readonly IAsyncEnumerator<string> _lines;

    PortForward(Tool kubectl, string space, string service, int port) =>
        _lines = kubectl.LinesAsync(_stop.Token, "-n", space, "port-forward", $"service/{service}", $":{port}").GetAsyncEnumerator();

    public Uri Address { get; private set; } = null!;

    public static async Task<PortForward> StartAsync(Tool kubectl, string space, string service, int port)
    {
        var forward = new PortForward(kubectl, space, service, port);
        (await forward._lines.MoveNextAsync()).ShouldBeTrue($"kubectl did not forward service/{service} port {port}");
        forward.Address = new($"http://127.0.0.1:{Local().Match(forward._lines.Current).Groups["port"].Value}");
        return forward;
    }

    public async ValueTask DisposeAsync()
    {
        await _lines.DisposeAsync();
        _stop.Dispose();
    }

    [GeneratedRegex(@"127\.0\.0\.1:(?<port>\d+) ->", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Local();
}
