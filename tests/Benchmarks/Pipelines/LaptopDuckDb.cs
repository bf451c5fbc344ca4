using System.Diagnostics;
using LeanPipe.Lake;

namespace LeanPipe.Benchmarks.Pipelines;

/// <summary>A DuckDB command line (LEANPIPE_TEST_DUCKDB) that reads and writes S3 by its own httpfs: the same work over the same network, without a task around it.</summary>
/// <remarks>It checks no SHA-256 of what it reads, and it is of whatever version it is; its case says which.</remarks>
static class LaptopDuckDb
{
    static readonly string? Command = Environment.GetEnvironmentVariable("LEANPIPE_TEST_DUCKDB") is { Length: > 0 } command ? command : null;

    public static string? WhyAbsent => Command is null ? "LEANPIPE_TEST_DUCKDB names no DuckDB command line" : S3Lake.IsThere ? null : "LEANPIPE_TEST_S3 names no S3 endpoint";

    /// <summary>Such as <c>v2.0.0</c>.</summary>
    public static string Version()
    {
        using var process = Process.Start(new ProcessStartInfo(Command!, ["--version"]) { UseShellExecute = false, RedirectStandardOutput = true })!;
        var text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return text.Split(' ')[0].Trim();
    }

    /// <param name="sql">Over <c>s3://</c> addresses.</param>
    public static Spent Run(LakeOptions lake, long memory, string sql) => StepProgram.Run(new(Command!, ["-c", $"""
        LOAD httpfs;
        CREATE SECRET lake (TYPE s3, KEY_ID '{lake.AccessKey}', SECRET '{lake.SecretKey}', REGION '{lake.Region}', ENDPOINT '{lake.Endpoint!.Authority}', URL_STYLE 'path', USE_SSL {lake.Endpoint.Scheme == "https"});
        SET threads = {Environment.ProcessorCount};
        SET memory_limit = '{memory}B';
        SET preserve_insertion_order = false;
        {sql}
        """]));
}
