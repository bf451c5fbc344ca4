using LeanPipe.Contracts;
using Npgsql;

namespace LeanPipe.StepRunner.Load;

/// <summary>Connections by name, from the environment: <c>LEANPIPE_POSTGRES_{NAME}</c> is the connection string, <c>LEANPIPE_POSTGRES_{NAME}_FILE</c> a file that holds it.</summary>
internal static class Connections
{
    public const string Prefix = "LEANPIPE_POSTGRES_";

    /// <summary>The variable for a connection's name: upper case, with '_' for '-'.</summary>
    public static string Variable(string connection) => Prefix + connection.ToUpperInvariant().Replace('-', '_');

    /// <exception cref="TaskException"><c>load.no_connection</c>; the settings themselves are in no message.</exception>
    public static NpgsqlConnectionStringBuilder Find(string connection, Func<string, string?> variable)
    {
        var name = Variable(connection);
        var text = variable(name);
        if (string.IsNullOrWhiteSpace(text) && variable(name + "_FILE") is { Length: > 0 } file)
        {
            try
            {
                text = File.ReadAllText(file).Trim();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new TaskException("load.no_connection", $"{name}_FILE names '{file}', which cannot be read: {e.Message}", inner: e);
            }
        }
        if (string.IsNullOrWhiteSpace(text))
            throw new TaskException(
                "load.no_connection", $"The connection '{connection}' is not set: {name} is to hold a connection string such as Host=db;Database=…;Username=…;Password=…, or {name}_FILE to name a file with it.");
        try
        {
            return new NpgsqlConnectionStringBuilder(text)
            {
                // One connection for one transaction; how long that may take is the task's timeout.
                Pooling = false,
                CommandTimeout = 0,
                KeepAlive = 30,
                IncludeErrorDetail = false,
                ApplicationName = "leanpipe",
            };
        }
        catch (Exception e) when (e is ArgumentException or FormatException)
        {
            throw new TaskException("load.no_connection", $"{name} holds no connection string; expected Host=…;Database=…;Username=…;Password=….");
        }
    }
}
