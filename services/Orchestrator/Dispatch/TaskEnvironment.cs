namespace LeanPipe.Orchestrator;

/// <summary>Which of the orchestrator's variables a task may see: what a process needs to start and to reach the lake, and no token of the sidecar or of another system.</summary>
static class TaskEnvironment
{
    static readonly string[] Names = ["PATH", "HOME", "TMPDIR", "TEMP", "TMP", "TZ", "LANG", "LD_LIBRARY_PATH", "SystemRoot", "USERPROFILE", "http_proxy", "https_proxy", "no_proxy"];

    /// <summary>The runtime's settings, the lake's, those of the AWS credential chain, and the certificates to trust.</summary>
    static readonly string[] Prefixes = ["DOTNET_", "LEANPIPE_LAKE", "LEANPIPE_S3_", "AWS_", "SSL_CERT_"];

    /// <param name="variable">Its name.</param>
    /// <param name="connection">The connection that the task loads through; null for one that loads nothing.</param>
    public static bool Passes(string variable, string? connection = null) =>
        Names.Contains(variable, StringComparer.OrdinalIgnoreCase) || Prefixes.Any(p => variable.StartsWith(p, StringComparison.Ordinal))
        || (connection is not null && variable.StartsWith("LEANPIPE_POSTGRES_", StringComparison.Ordinal)
            && variable["LEANPIPE_POSTGRES_".Length..] is var rest && (rest == Upper(connection) || rest == Upper(connection) + "_FILE"));

    // As the step runner names it.
    static string Upper(string connection) => connection.ToUpperInvariant().Replace('-', '_');
}
