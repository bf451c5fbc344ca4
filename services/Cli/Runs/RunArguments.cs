using LeanPipe.Contracts;

namespace LeanPipe.Cli.Runs;

/// <summary>What a person writes to say which run.</summary>
static class RunArguments
{
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
