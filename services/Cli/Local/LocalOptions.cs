using LeanPipe.Cli.Homes;
using LeanPipe.Documents;
using LeanPipe.Lake;

namespace LeanPipe.Cli.Local;

/// <summary>What one process on one machine runs. Ports are on loopback; 0 takes any free one.</summary>
sealed record LocalOptions
{
    public required HomeFolder Home { get; init; }
    public required LakeOptions Lake { get; init; }
    public required Configuration Configuration { get; init; }
    public int DaprHttpPort { get; init; } = 3500;
    public int DaprGrpcPort { get; init; } = 50001;

    /// <summary>The orchestrator's, with its API.</summary>
    public int Port { get; init; } = 8080;

    /// <summary>Where the services' log lines go.</summary>
    public required TextWriter Log { get; init; }

    /// <summary>Exceptions in the log with their stack.</summary>
    public bool Verbose { get; init; }
}
