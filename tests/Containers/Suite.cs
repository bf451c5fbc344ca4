using System.Diagnostics;

namespace LeanPipe.Containers;

/// <summary>Tests of another project, run as a program of its own with the addresses of the components that this one has started.</summary>
static class Suite
{
    const string Solution = "LeanPipe.Cloud.sln";

    public static string Root { get; } = FindRoot();

    /// <param name="project">Integration or EndToEnd.</param>
    /// <param name="filter">xunit's: <c>-namespace</c> or <c>-class</c> and a name, as often as wanted.</param>
    public static async Task PassesAsync(string project, string[] filter, params (string Name, string Value)[] environment)
    {
        // Built beside this one, in the same configuration.
        var output = Path.GetRelativePath(Path.Combine(Root, "tests", "Containers"), AppContext.BaseDirectory);
        var start = new ProcessStartInfo(Path.Combine(Root, "tests", project, output, $"LeanPipe.{project}"), ["-noColor", .. filter])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            WorkingDirectory = Root,
        };
        foreach (var (name, value) in environment) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var (told, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        var text = await told + await errors;
        TestContext.Current.TestOutputHelper?.WriteLine(text);
        process.ExitCode.ShouldBe(0, text);
        text.ShouldNotContain("Total: 0,", Case.Sensitive, "nothing ran: was what the filter names renamed?");
    }

    /// <summary>One of our own tools or of docker's, to its end.</summary>
    public static async Task<string> RunAsync(string program, params IEnumerable<string> arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, UseShellExecute = false, WorkingDirectory = Root })!;
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        process.ExitCode.ShouldBe(0, $"{program} {string.Join(' ', arguments)}");
        return output;
    }

    static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, Solution))) return folder.FullName;
        throw new InvalidOperationException($"No {Solution} above {AppContext.BaseDirectory}.");
    }
}
