namespace LeanPipe.Benchmarks.Ingest;

/// <param name="Lines">Sent and measured in each case.</param>
/// <param name="Only">Runs the cases whose name holds this text.</param>
/// <param name="Baseline">LeanPipe.Gateway.dll of another build, measured in the same run.</param>
/// <param name="Program">LeanPipe.Gateway.dll of a build that exists; null publishes one as it is shipped.</param>
/// <param name="Machine">Null writes no result file: a quick look is no receipt.</param>
sealed record IngestOptions(int Lines, int Runs, IReadOnlyList<int> Connections, string? Only, string? Baseline, string? Program, string? Machine)
{
    public const int FullLines = 5_000_000;

    public const string Usage = "ingest [--lines N] [--runs N] [--connections N,N] [--only TEXT] [--baseline LeanPipe.Gateway.dll] [--program LeanPipe.Gateway.dll] [--machine LABEL]";

    public bool Wants(string name) => Only is null || name.Contains(Only, StringComparison.OrdinalIgnoreCase);

    /// <summary>Null when the arguments are not understood.</summary>
    public static IngestOptions? Parse(IReadOnlyList<string> arguments)
    {
        var options = new IngestOptions(FullLines, Runs: 1, Connections: [1, 8], Only: null, Baseline: null, Program: null, Machine: null);
        for (var i = 0; i < arguments.Count; i += 2)
        {
            if (i + 1 == arguments.Count) return null;
            var value = arguments[i + 1];
            switch (arguments[i])
            {
                case "--lines" when int.TryParse(value, out var lines) && lines is >= 1000 and <= 15_000_000: options = options with { Lines = lines }; break;
                case "--runs" when int.TryParse(value, out var runs) && runs > 0: options = options with { Runs = runs }; break;
                case "--connections": options = options with { Connections = [.. value.Split(',').Select(int.Parse)] }; break;
                case "--only": options = options with { Only = value }; break;
                case "--baseline" when File.Exists(value): options = options with { Baseline = Path.GetFullPath(value) }; break;
                case "--program" when File.Exists(value): options = options with { Program = Path.GetFullPath(value) }; break;
                case "--machine": options = options with { Machine = value }; break;
                default: return null;
            }
        }
        var isWhole = options is { Lines: FullLines, Only: null, Baseline: null, Program: null };
        return isWhole ? options with { Machine = options.Machine ?? LeanPipe.Benchmarks.Machine.Label } : options;
    }
}
