using System.CommandLine;
using LeanPipe.Cli.Homes;
using LeanPipe.Lake;

namespace LeanPipe.Cli;

/// <summary>One call of one command: its values, its writers, its home.</summary>
sealed class Invocation(ParseResult parsed, GlobalOptions globals)
{
    public TextWriter Out => parsed.InvocationConfiguration.Output;

    public TextWriter Error => parsed.InvocationConfiguration.Error;

    public bool Verbose => parsed.GetValue(globals.Verbose);

    public HomeFolder Home => new(parsed.GetValue(globals.Home)!);

    public LakeOptions Lake => LakeOptions.FromEnvironment(
        parsed.GetValue(globals.Lake) ?? (Environment.GetEnvironmentVariable(LakeOptions.RootVariable) is { Length: > 0 } root ? root : Home.Lake));

    /// <summary>The lake's root in one spelling, to tell two of them apart.</summary>
    public string LakeRoot => Lake.ToEnvironment()[LakeOptions.RootVariable];

    public T? Get<T>(Option<T> option) => parsed.GetValue(option);

    public T? Get<T>(Argument<T> argument) => parsed.GetValue(argument);

    public bool WantsJson(Option<string> format) => Get(format) == GlobalOptions.Json;

    public bool Has(Option option) => parsed.GetResult(option) is { Implicit: false };
}
