using System.Diagnostics;
using System.Security.Cryptography;

namespace LeanPipe.Integration.DaprPeer;

/// <summary>The official JavaScript SDK, installed once into the output's <c>js/node_modules</c> from the lock file.</summary>
static class NodePackages
{
    public static string Directory { get; } = Path.Combine(AppContext.BaseDirectory, "Dapr", "js");

    /// <summary>Skips the test where Node.js or npm is missing; in CI that is a failure.</summary>
    public static async Task RequireAsync()
    {
        foreach (var tool in new[] { "node", "npm" })
        {
            if (!OnPath(tool))
            {
                if (Environment.GetEnvironmentVariable("CI") == "true") throw new InvalidOperationException($"{tool} is not on the path, and CI must not skip.");
                Assert.Skip($"{tool} is not on the path; the official JavaScript SDK cannot run.");
            }
        }

        await Task.Run(Install);
    }

    static bool OnPath(string tool) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, tool)));

    // The stamp says which lock file the folder was made from; it is written last, so a torn install is repeated.
    static void Install()
    {
        var stamp = Path.Combine(Directory, "node_modules", ".installed");
        var wanted = Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(Path.Combine(Directory, "package-lock.json"))));

        // Tests, and test processes, start side by side.
        using var turn = new Mutex(initiallyOwned: false, "leanpipe-js-" + Convert.ToHexString(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(Directory)))[..16]);
        try
        {
            turn.WaitOne();
        }
        catch (AbandonedMutexException)
        {
            // Its owner died; the stamp tells how far it came, and the turn is ours.
            File.Delete(stamp);
        }

        try
        {
            if (File.Exists(stamp) && File.ReadAllText(stamp) == wanted)
                return;
            using var npm = Process.Start(new ProcessStartInfo("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
            {
                WorkingDirectory = Directory,
                RedirectStandardError = true,
                UseShellExecute = false,
            })!;
            var said = npm.StandardError.ReadToEnd();
            npm.WaitForExit();
            if (npm.ExitCode != 0)
                throw new InvalidOperationException($"'npm ci' in {Directory} ended with {npm.ExitCode}: {said}");
            File.WriteAllText(stamp, wanted);
        }
        finally
        {
            turn.ReleaseMutex();
        }
    }
}
