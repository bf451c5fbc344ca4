using System.Net;

namespace LeanPipe.StepRunner;

/// <param name="Scratch">Emptied at the start: nobody else uses it.</param>
/// <param name="Token">Who does not know it is refused.</param>
internal sealed record ServeArguments(IPEndPoint Listen, string Scratch, string Token)
{
    public const string TokenVariable = "LEANPIPE_WARM_TOKEN";

    /// <summary>The arguments after <c>serve</c>, or what is wrong with all of them.</summary>
    public static (ServeArguments? Parsed, IReadOnlyList<string> Errors) Parse(ReadOnlySpan<string> args, string? token)
    {
        string? listen = null, scratch = null;
        var errors = new List<string>();
        for (var i = 0; i < args.Length; i += 2)
        {
            if (args[i] is not ("--listen" or "--scratch")) errors.Add($"'{args[i]}' is no option of serve: expected --listen or --scratch.");
            else if (i + 1 == args.Length) errors.Add($"{args[i]} has no value.");
            else if (args[i] == "--listen") listen = args[i + 1];
            else scratch = args[i + 1];
        }
        if (!IPEndPoint.TryParse(listen ?? "", out var endpoint)) errors.Add($"--listen is '{listen}': expected an address and a port, 0.0.0.0:8090.");
        if (string.IsNullOrEmpty(scratch)) errors.Add("--scratch is missing: give a folder that nobody else uses; it is emptied.");
        if (string.IsNullOrEmpty(token)) errors.Add($"{TokenVariable} is not set: give the secret that callers must know.");
        return errors.Count == 0 ? (new(endpoint!, Path.GetFullPath(scratch!), token!), errors) : (null, errors);
    }
}
