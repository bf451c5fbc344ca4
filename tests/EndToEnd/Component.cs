using System.Diagnostics;

namespace LeanPipe.EndToEnd;

/// <summary>What the environment says about a real component.</summary>
static class Component
{
    /// <summary>Skips the test when the variable is not set; in CI that is a failure.</summary>
    public static string Required(string variable)
    {
        if (Given(variable) is { } value) return value;
        if (Environment.GetEnvironmentVariable("CI") == "true") throw new InvalidOperationException($"{variable} is not set, and CI must not skip.");
        Assert.Skip($"{variable} is not set: it names a real component.");
        return "";
    }

    public static string? Given(string variable) => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value ? value : null;
}

/// <summary>A laptop's own DuckDB, with nothing of ours but the address of the lake.</summary>
static class Laptop
{
    /// <returns>What the SQL answers, as CSV without a header.</returns>
    public static async Task<string> AskAsync(string command, string endpoint, string key, string secret, string sql)
    {
        using var duckdb = Process.Start(new ProcessStartInfo(command, ["-csv", "-noheader"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        })!;
        await duckdb.StandardInput.WriteAsync($"""
            LOAD httpfs;
            CREATE SECRET lake (TYPE s3, KEY_ID '{key}', SECRET '{secret}', REGION 'us-east-1', ENDPOINT '{new Uri(endpoint).Authority}', URL_STYLE 'path', USE_SSL false);
            {sql}
            """);
        duckdb.StandardInput.Close();
        var answer = await duckdb.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await duckdb.WaitForExitAsync(TestContext.Current.CancellationToken);
        duckdb.ExitCode.ShouldBe(0, answer);
        const string made = "true\n";
        answer.ShouldStartWith(made, Case.Sensitive, "the secret");
        return answer[made.Length..];
    }
}
