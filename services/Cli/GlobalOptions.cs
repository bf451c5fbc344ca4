using System.CommandLine;
using LeanPipe.Documents.Reading;

namespace LeanPipe.Cli;

/// <summary>What every command understands.</summary>
sealed class GlobalOptions
{
    public const string Json = "json";

    public Option<string> Home { get; } = new("--home")
    {
        Description = "Folder of this installation: config/, lake/, state/",
        HelpName = "DIR",
        DefaultValueFactory = _ => ".leanpipe",
        Recursive = true,
    };

    public Option<string?> Lake { get; } = new("--lake")
    {
        Description = "The lake: a folder, or s3://bucket/prefix (default: LEANPIPE_LAKE, else HOME/lake)",
        HelpName = "URI",
        Recursive = true,
    };

    public Option<bool> Verbose { get; } = new("--verbose") { Description = "Show where an error came from", Recursive = true };

    public GlobalOptions()
    {
        NotEmpty(Home, "the folder of an installation");
        NotEmpty(Lake, "a folder's path, or s3://bucket/prefix");
    }

    public IEnumerable<Option> All => [Home, Lake, Verbose];

    /// <summary>A shell's variable that is not set gives an empty text.</summary>
    static void NotEmpty(Option option, string expected) => option.Validators.Add(r =>
    {
        if (r.Tokens is [{ Value: "" }]) r.AddError($"{option.Name} is empty: expected {expected}.");
    });

    /// <summary>An address of a service; its type alone is none that the command line can read.</summary>
    public static Option<Uri?> Url(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "URL",
        CustomParser = given =>
        {
            var text = given.Tokens[0].Value;
            if (Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is ("http" or "https")) return url;
            given.AddError($"{name} is '{text}': expected a URL such as http://127.0.0.1:3500.");
            return null;
        },
    };

    /// <summary>A number and a unit, as in the documents.</summary>
    public static Option<TimeSpan?> Duration(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "TIME",
        CustomParser = given =>
        {
            var text = given.Tokens[0].Value;
            if (Quantities.TryDuration(text, out var duration)) return duration;
            given.AddError($"{name} is '{text}': expected {Quantities.DurationRule}.");
            return null;
        },
    };

    /// <summary>For commands that print data; each command has its own, so that the others do not show it.</summary>
    public static Option<string> Format()
    {
        var format = new Option<string>("--output", "-o") { Description = "How to print", HelpName = "table|json", DefaultValueFactory = _ => "table" };
        format.AcceptOnlyFromAmong("table", Json);
        return format;
    }
}
