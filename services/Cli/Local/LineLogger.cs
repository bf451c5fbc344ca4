using Microsoft.Extensions.Logging;

namespace LeanPipe.Cli.Local;

/// <summary>One line per event: time (UTC), service, message. The web server's own chatter is left out by <see cref="LocalProcess"/>.</summary>
sealed class LineLogger(TextWriter output, string service, bool verbose, TimeProvider time) : ILoggerProvider, ILogger
{
    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel)) return;
        var level = logLevel switch { LogLevel.Warning => "WARNING ", >= LogLevel.Error => "ERROR ", _ => "" };
        var why = exception is null ? "" : verbose ? $"\n{exception}" : $": {exception.Message}";
        // One write, for the services share the writer.
        lock (output) output.WriteLine($"{time.GetUtcNow():HH:mm:ss} {service,-12} {level}{formatter(state, exception)}{why}");
    }

    public void Dispose()
    {
        lock (output) output.Flush();
    }
}
