using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace LeanPipe.Benchmarks;

/// <param name="Case">What was done.</param>
/// <param name="Metric">What was measured of it.</param>
sealed record Result(string Case, string Metric, double Value, string Unit);

/// <summary>One line of a result file: a number and what it depends on.</summary>
sealed record Line(string Case, string Metric, double Value, string Unit, string Machine, int Cores, string Os, string Dotnet, string Commit, string Date, int BestOf);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(IReadOnlyList<Line>))]
sealed partial class ReportJson : JsonSerializerContext;

static class Machine
{
    public static string Label { get; } =
        $"{(OperatingSystem.IsWindows() ? "windows" : OperatingSystem.IsMacOS() ? "macos" : "linux")}-{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}-{Environment.ProcessorCount}core";

    public static string Os { get; } = RuntimeInformation.OSDescription;

    public static string Dotnet { get; } = RuntimeInformation.FrameworkDescription;
}

/// <summary>Writes tests/Benchmarks/results/&lt;machine&gt;/&lt;part&gt;.json and a Markdown view of it.</summary>
static class Report
{
    /// <param name="table">The view's table; null writes a row for each result.</param>
    public static void Write(string part, string machine, int bestOf, IReadOnlyList<Result> results, string? table = null)
    {
        var (root, commit) = (Repository.Root, Repository.Commit);
        var date = DateTime.UtcNow.ToString("yyyy-MM-dd");
        var folder = Directory.CreateDirectory(Path.Combine(root, "tests", "Benchmarks", "results", machine)).FullName;
        IReadOnlyList<Line> lines = [.. results.Select(r => new Line(
            r.Case, r.Metric, Math.Round(r.Value, 3), r.Unit, machine, Environment.ProcessorCount, Machine.Os, Machine.Dotnet, commit, date, bestOf))];
        File.WriteAllText(Path.Combine(folder, part + ".json"), JsonSerializer.Serialize(lines, ReportJson.Default.IReadOnlyListLine) + "\n");

        var view = new StringBuilder()
            .AppendLine($"# {part} on {machine}")
            .AppendLine()
            .AppendLine($"{Environment.ProcessorCount} cores, {Machine.Os}, {Machine.Dotnet}; commit {commit}, {date}. Best of {bestOf} runs each.")
            .AppendLine($"`dotnet run -c Release --project tests/Benchmarks -- {part}`")
            .AppendLine()
            .Append(table ?? Rows(lines));
        File.WriteAllText(Path.Combine(folder, part + ".md"), view.ToString());
        Console.Write(view.ToString());
    }

    public static string Rounded(double value) => value >= 100 ? value.ToString("N0", CultureInfo.InvariantCulture) : value.ToString("0.##", CultureInfo.InvariantCulture);

    static string Rows(IReadOnlyList<Line> lines)
    {
        var table = new StringBuilder().AppendLine("| Case | Metric | Value | Unit |").AppendLine("|---|---|--:|---|");
        foreach (var line in lines) table.AppendLine($"| {line.Case} | {line.Metric} | {Rounded(line.Value)} | {line.Unit} |");
        return table.ToString();
    }
}

static class Repository
{
    public static string Root { get; } = Git("rev-parse", "--show-toplevel");

    public static string Commit { get; } = Git("rev-parse", "--short", "HEAD");

    static string Git(params string[] arguments)
    {
        using var git = Process.Start(new ProcessStartInfo("git", arguments) { RedirectStandardOutput = true, UseShellExecute = false })!;
        return git.StandardOutput.ReadToEnd().Trim();
    }
}
