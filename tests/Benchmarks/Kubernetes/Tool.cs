using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace LeanPipe.Benchmarks.Kubernetes;

/// <summary>A program of the machine: kubectl and helm with the cluster that LEANPIPE_TEST_KUBECONFIG names, or docker.</summary>
sealed partial class Tool(string program)
{
    public static readonly Tool Kubectl = new(Environment.GetEnvironmentVariable("LEANPIPE_TEST_KUBECTL") ?? "kubectl");
    public static readonly Tool Helm = new(Environment.GetEnvironmentVariable("LEANPIPE_TEST_HELM") ?? "helm");
    public static readonly Tool Docker = new("docker");

    public static string? Kubeconfig => Environment.GetEnvironmentVariable("LEANPIPE_TEST_KUBECONFIG");

    public async Task<string> RunAsync(string[] arguments, string? input = null)
    {
        var (code, output, errors) = await TryAsync(arguments, input);
        return code == 0 ? output : throw new InvalidOperationException($"'{program} {string.Join(' ', arguments)}' ended with {code}: {errors}{output}");
    }

    public async Task<(int Code, string Output, string Errors)> TryAsync(string[] arguments, string? input = null)
    {
        using var process = Start(arguments);
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        if (input is not null) await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, await errors);
    }

    public Process Start(params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            WorkingDirectory = Repository.Root,
        };
        if (Kubeconfig is { } file) start.Environment["KUBECONFIG"] = file;
        return Process.Start(start)!;
    }

    /// <summary>A port of this machine behind which the API server stands; it ends with the process.</summary>
    public static async Task<(Process Proxy, Uri Address)> ProxyAsync()
    {
        var proxy = Kubectl.Start("proxy", "--port=0");
        var line = await proxy.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException($"kubectl proxy ended: {await proxy.StandardError.ReadToEndAsync()}");
        return (proxy, new($"http://127.0.0.1:{int.Parse(Port().Match(line).Value, CultureInfo.InvariantCulture)}"));
    }

    [GeneratedRegex("[0-9]+$", RegexOptions.CultureInvariant)]
    private static partial Regex Port();
}
