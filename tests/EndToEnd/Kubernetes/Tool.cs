using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text;

namespace LeanPipe.EndToEnd.Kubernetes;

/// <summary>kubectl or helm, with the cluster's address and nothing else of this machine's.</summary>
sealed class Tool(string program, string kubeconfig)
{
    /// <exception cref="InvalidOperationException">It ended with another code than 0; with all that it wrote.</exception>
    public async Task<string> RunAsync(params IEnumerable<string> arguments)
    {
        var (code, output, errors) = await TryAsync(arguments, null, TestContext.Current.CancellationToken);
        return code == 0 ? output : throw new InvalidOperationException($"'{program} {string.Join(' ', arguments)}' ended with {code}: {errors}{output}");
    }

    /// <param name="input">Its standard input.</param>
    public async Task<(int Code, string Output, string Errors)> TryAsync(IEnumerable<string> arguments, string? input, CancellationToken stop)
    {
        using var process = Start(arguments);
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        if (input is not null) await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        try
        {
            await process.WaitForExitAsync(stop);
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
        return (process.ExitCode, await output, await errors);
    }

    /// <summary>Its output line by line, for as long as it runs and somebody reads; then it is ended.</summary>
    public async IAsyncEnumerable<string> LinesAsync([EnumeratorCancellation] CancellationToken stop, params string[] arguments)
    {
        using var process = Start(arguments);
        process.ErrorDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        try
        {
            while (await process.StandardOutput.ReadLineAsync(stop) is { } line) yield return line;
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
    }

    Process Start(IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            StandardOutputEncoding = Encoding.UTF8,
            WorkingDirectory = Cluster.Root,
        };
        start.Environment["KUBECONFIG"] = kubeconfig;
        return Process.Start(start)!;
    }
}
