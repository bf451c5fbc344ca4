using System.CommandLine;
using LeanPipe.Contracts;

namespace LeanPipe.Cli.Runs;

/// <summary>What a person writes to say which run. The same words mean the same in every command.</summary>
static class RunArguments
{
    public static Argument<string> Run() => new("RUN") { Description = "The run's id, as 'leanpipe runs' prints it" };

    public static Argument<string> Pipeline() => new("PIPELINE") { Description = "The pipeline's name" };

    public static Option<string> Window() => new("--window") { Description = "A day (2026-01-01), an hour (2026-01-01T10) or a minute (2026-01-01T1005), UTC", HelpName = "W", Required = true };

    public static Option<int?> Revision()
    {
        var revision = new Option<int?>("--revision") { Description = "Revision of the window (default: the newest)", HelpName = "N" };
        revision.Between(1, int.MaxValue, "1 or more");
        return revision;
    }

    public static Option<string[]> Param() => new("--param") { Description = "A parameter's value; may be given several times", HelpName = "K=V", DefaultValueFactory = _ => [] };

    public static Option<bool> Wait() => new("--wait") { Description = "Wait for the end; exit code 1 when the run failed" };

    public static Option<Uri?> Sidecar() => GlobalOptions.Url("--sidecar", "URL of a Dapr sidecar (default: the one that runs in HOME)");

    public static T Parse<T>(string text) where T : struct, IId<T>
    {
        try
        {
            return T.Parse(text);
        }
        catch (LeanPipeException e)
        {
            throw new UsageException(e.Message);
        }
    }

    public static SortedDictionary<string, string> Params(string[] given)
    {
        var parameters = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var text in given)
        {
            var equals = text.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0) throw new UsageException($"--param '{text}' has no name and value: expected one like kind=Temperature.");
            if (!parameters.TryAdd(text[..equals], text[(equals + 1)..])) throw new UsageException($"--param '{text[..equals]}' is given twice: keep one.");
        }
        return parameters;
    }
}
