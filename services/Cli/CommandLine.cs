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
            foreach (var problem in parsed.UnmatchedTokens.Count > 0 ? parsed.Errors.Take(1) : parsed.Errors) await error.WriteLineAsync($"error: {problem.Message}");
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
