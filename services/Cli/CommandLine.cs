using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using LeanPipe.Cli.Commands;

namespace LeanPipe.Cli;

/// <summary>Exit codes that scripts rely on.</summary>
static class ExitCode
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int Usage = 2;
}

/// <summary>The whole command line over any two writers, so that tests read what a person would.</summary>
static class CommandLine
{
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments, TextWriter output, TextWriter error, CancellationToken stop)
    {
        var parsed = Create().Parse(arguments);
        if (parsed.Errors.Count > 0 && parsed.Action is not HelpAction and not ExampleHelp)
        {
            // One unknown word makes unknown words of all that follow.
            var problems = parsed.UnmatchedTokens is [var unknown, ..] ? [parsed.Errors.FirstOrDefault(e => e.Message.Contains($"'{unknown}'", StringComparison.Ordinal)) ?? parsed.Errors[0]] : parsed.Errors;
            foreach (var problem in problems) await error.WriteLineAsync($"error: {Describe(problem)}");
            await error.WriteLineAsync($"Try '{CommandPath(parsed)} --help'.");
            return ExitCode.Usage;
        }
        return await parsed.InvokeAsync(new() { Output = output, Error = error, EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null }, stop);
    }

    static Command Create()
    {
        // No RootCommand, whose name is that of whatever program runs this.
        var help = new HelpOption();
        var root = new Command("leanpipe", "LeanPipe: from a TCP socket to a table on a laptop.") { help, new VersionOption() };
        var globals = new GlobalOptions();
        foreach (var option in globals.All) root.Add(option);
        LeanCommand[] commands = [
            // Their order in the help: seeing it, feeding it, running it, asking it, looking after it.
            DemoCommand.Create(globals), UpCommand.Create(globals), SendCommand.Create(globals),
            PlanCommand.Create(globals), RunCommand.Create(globals), BackfillCommand.Create(globals), RunsCommand.Create(globals), StatusCommand.Create(globals), WhyCommand.Create(globals),
            RetryCommand.Create(globals), CancelCommand.Create(globals),
            QueryCommand.Create(globals), AuditCommand.Create(globals),
            ValidateCommand.Create(globals), SchemaCommand.Create(globals), ReplayCommand.Create(globals), GatewayCommand.Create(globals), HousekeepingCommand.Create(globals),
        ];
        foreach (var command in commands) root.Add(command);
        help.Action = new ExampleHelp((HelpAction)help.Action!);
        root.SetAction(parsed => help.Action is ExampleHelp action ? action.Invoke(parsed) : ExitCode.Usage);
        return root;
    }

    /// <summary>The parser's own sentences do not say which argument is missing, nor which commands there are.</summary>
    static string Describe(ParseError problem) => problem.SymbolResult switch
    {
        ArgumentResult { Parent: CommandResult, Tokens.Count: 0, Argument: var argument } => $"{argument.Name} is missing: {argument.Description}.",
        CommandResult { Command: { Action: null, Subcommands: { Count: > 0 } commands } command } when !problem.Message.StartsWith("Unrecognized", StringComparison.Ordinal) =>
            $"'{command.Name}' is followed by one of its commands: {string.Join(", ", commands.Select(c => c.Name))}.",
        _ => problem.Message,
    };

    static string CommandPath(ParseResult parsed)
    {
        var path = new Stack<string>();
        for (SymbolResult? at = parsed.CommandResult; at is CommandResult command; at = command.Parent) path.Push(command.Command.Name);
        return string.Join(' ', path);
    }

    /// <summary>The usual help with the command's examples behind it.</summary>
    sealed class ExampleHelp(HelpAction inner) : SynchronousCommandLineAction
    {
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            // The same text whatever the terminal, so that it can be read back by a test.
            inner.MaxWidth = 110;
            inner.Invoke(parseResult);
            if (parseResult.CommandResult.Command is LeanCommand { Examples.Count: > 0 } command)
            {
                var output = parseResult.InvocationConfiguration.Output;
                output.WriteLine("Examples:");
                foreach (var example in command.Examples) output.WriteLine($"  {example}");
                output.WriteLine();
            }
            return ExitCode.Done;
        }
    }
}
