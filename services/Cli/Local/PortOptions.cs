using System.CommandLine;

namespace LeanPipe.Cli.Local;

/// <summary>The ports of a process, as options of the commands that start one.</summary>
sealed class PortOptions
{
    public Option<int> DaprHttp { get; } = Port("--dapr-http-port", "The sidecar's HTTP API; 0 takes any free port", 3500);

    public Option<int> DaprGrpc { get; } = Port("--dapr-grpc-port", "The sidecar's gRPC API; 0 takes any free port", 50001);

    public Option<int> Orchestrator { get; } = Port("--port", "The orchestrator; 0 takes any free port", 8080);

    /// <summary>Of the demo's stream; other streams have it in their documents.</summary>
    public Option<int> Stream { get; } = Port("--stream-port", "The demo's stream; 0 takes any free port", 7001);

    static Option<int> Port(string name, string description, int value)
    {
        var option = new Option<int>(name) { Description = description, HelpName = "PORT", DefaultValueFactory = _ => value };
        option.Between(0, 65535, "0 to 65535");
        return option;
    }
}
