using System.Text;
using Amazon.Runtime;
using Amazon.S3;

namespace LeanPipe.EndToEnd;

/// <summary>The demo with a real S3 as its lake, and a laptop's own DuckDB that reads the result.</summary>
public sealed class S3LakeTests
{
    [Fact]
    public async Task The_demo_runs_on_S3_and_a_laptops_DuckDB_reads_its_table_through_the_views()
    {
        var (endpoint, key, secret, duckdb) = (Component.Required("LEANPIPE_TEST_S3"), Component.Required("LEANPIPE_TEST_S3_KEY"), Component.Required("LEANPIPE_TEST_S3_SECRET"), Component.Required("LEANPIPE_TEST_DUCKDB"));
        var bucket = $"leanpipe-e2e-{Guid.NewGuid():N}";
        using var s3 = new AmazonS3Client(new BasicAWSCredentials(key, secret), new AmazonS3Config { ServiceURL = endpoint, ForcePathStyle = true, AuthenticationRegion = "us-east-1" });
        await s3.PutBucketAsync(bucket, TestContext.Current.CancellationToken);

        using var home = new TemporaryHome();
        var environment = new Dictionary<string, string>
        {
            ["LEANPIPE_S3_ENDPOINT"] = endpoint,
            ["LEANPIPE_S3_PATH_STYLE"] = "true",
            ["AWS_ACCESS_KEY_ID"] = key,
            ["AWS_SECRET_ACCESS_KEY"] = secret,
        };
        await using var demo = CliProcess.Start(
            home.Path, environment, "demo", "--records", "20000", "--stream-port", "0", "--lake", $"s3://{bucket}/lake", "--dapr-http-port", "0", "--dapr-grpc-port", "0", "--port", "0");
        (await demo.ExitAsync()).ShouldBe(0, demo.Output);
        demo.Output.ShouldNotContain(secret);

        using var views = await s3.GetObjectAsync(bucket, "lake/catalog/views.sql", TestContext.Current.CancellationToken);
        using var reader = new StreamReader(views.ResponseStream, Encoding.UTF8);
        var answer = await Laptop.AskAsync(duckdb, endpoint, key, secret, $"""
            {await reader.ReadToEndAsync(TestContext.Current.CancellationToken)}
            SELECT count(*), count(DISTINCT sensor_id), count(DISTINCT start_time) FROM temperatures_hourly;
            """);
        answer.TrimEnd().ShouldBe("150,50,3");
    }
}
