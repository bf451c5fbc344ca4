using System.Diagnostics;
using System.Globalization;
using LeanPipe.Benchmarks.Pipelines;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Benchmarks.Kubernetes;

/// <summary>From <c>docker run</c> to the answer of a query that needs nothing, in the step runner's image: the engine has been opened by then, and one row written. Against the same image with a program of a hundred bytes that only says that it is there; in turns.</summary>
static class ImageStart
{
    const int Rounds = 12;
    const string Out = "/bare";

    // An ELF64 executable: its header, one loadable segment at 0x400000, and write(1, "\n", 1); exit(0).
    static readonly byte[] Bare =
    [
        0x7f, (byte)'E', (byte)'L', (byte)'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 62, 0, 1, 0, 0, 0, 0x78, 0, 0x40, 0, 0, 0, 0, 0, 64, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 56, 0, 1, 0, 0, 0, 0, 0, 0, 0,
        1, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0,
        0xb8, 1, 0, 0, 0, 0xbf, 1, 0, 0, 0, 0x48, 0x8d, 0x35, 0x10, 0, 0, 0, 0xba, 1, 0, 0, 0, 0x0f, 5, 0xb8, 60, 0, 0, 0, 0x31, 0xff, 0x0f, 5, 0x0a, 0x0a,
    ];

    public static async Task<bool> IsPossibleAsync()
    {
        try
        {
            return (await Tool.Docker.TryAsync(["image", "inspect", Image("steprunner")])).Code == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    public static async IAsyncEnumerable<Result> MeasureAsync()
    {
        foreach (var name in (string[])["gateway", "orchestrator", "steprunner", "sidecar"])
        {
            var (code, size, _) = await Tool.Docker.TryAsync(["image", "inspect", "-f", "{{.Size}}", Image(name)]);
            if (code == 0) yield return new("images", name, long.Parse(size.Trim(), CultureInfo.InvariantCulture) / 1e6, "MB");
        }

        var work = Directory.CreateTempSubdirectory("leanpipe-image-");
        try
        {
            var bare = Path.Combine(work.FullName, "bare");
            await File.WriteAllBytesAsync(bare, Bare);
            var lake = new LakeOptions { Root = Path.Combine(work.FullName, "lake") };
            var tasks = new List<TaskSpec>();
            for (var n = 0; n <= Rounds; n++) tasks.Add(await Segments.PlanAsync(ObjectStores.Open(lake), $"start-{n}", "SELECT 1 AS one", [], new TaskOutput(), 256L << 20));
            // The image's user is nobody here; and the program is to be one.
            using (var open = Process.Start("chmod", ["-R", "a+rwx", work.FullName])) await open.WaitForExitAsync();

            string[] Run(params string[] of) => ["run", "--rm", "--read-only", "--cap-drop", "ALL", "--tmpfs", "/tmp", "-v", $"{work.FullName}/lake:/lake", "-e", "LEANPIPE_LAKE=/lake", "-v", $"{bare}:{Out}:ro", .. of];
            var (alone, ours) = (new List<double>(), new List<double>());
            for (var n = 0; n <= Rounds; n++)
            {
                var nothing = await UntilAsync(Run("--entrypoint", Out, Image("steprunner")), _ => true);
                var open = await UntilAsync(
                    Run(Image("steprunner"), "--task", LakeLayout.LoneTask(tasks[n].Run, tasks[n].Step, tasks[n].Task), "--attempt", "1"), line => line.Contains("\"upload\"", StringComparison.Ordinal));
                // The first round brings the image's pages into memory.
                if (n == 0) continue;
                alone.Add(nothing);
                ours.Add(open);
            }
            const string What = "the step runner's image";
            yield return new(What, "docker run of nothing, p50", Median(alone), "ms");
            yield return new(What, "docker run to DuckDB open and SELECT 1 answered, p50", Median(ours), "ms");
            yield return new(What, "above nothing", Median(ours) - Median(alone), "ms");
        }
        finally
        {
            work.Delete(recursive: true);
        }
    }

    static string Image(string name) => $"leanpipe/{name}:{Environment.GetEnvironmentVariable("LEANPIPE_TEST_KUBE_TAG") ?? "ci"}";

    static async Task<double> UntilAsync(string[] arguments, Func<string, bool> seen)
    {
        var began = Stopwatch.GetTimestamp();
        using var process = Tool.Docker.Start(arguments);
        var errors = process.StandardError.ReadToEndAsync();
        double? at = null;
        while (await process.StandardOutput.ReadLineAsync() is { } line)
            if (at is null && seen(line)) at = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
        await process.WaitForExitAsync();
        return at ?? throw new InvalidOperationException($"'docker {string.Join(' ', arguments)}' ended with {process.ExitCode}: {await errors}");
    }

    static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
