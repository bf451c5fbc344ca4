using LeanPipe.Lake;
using Microsoft.AspNetCore.Http;

namespace LeanPipe.Integration.Lake;

/// <summary>An S3 service that has done something and says so badly, or says that it has and did not.</summary>
public sealed class S3HalfAnswersTests : IDisposable
{
    const string Mark = "x-amz-meta-leanpipe-put";
    const string Failed = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>InternalError</Code><Message>as scripted</Message></Error>";

    readonly string big = Path.GetTempFileName();

    static CancellationToken Token => TestContext.Current.CancellationToken;

    public S3HalfAnswersTests()
    {
        using var file = File.OpenWrite(big);
        file.SetLength(S3Store.PartBytes + 1);
    }

    public void Dispose() => File.Delete(big);

    [Fact]
    public async Task A_copy_that_fails_behind_its_status_of_200_is_a_transient_error()
    {
        await using var s3 = await ScriptedS3.StartAsync(context => context.Response.WriteAsync(Failed));
        var error = await Should.ThrowAsync<LakeException>(async () => await ObjectStores.Open(s3.Options).CopyAsync("a", "b", Token));
        (error.Code, error.IsTransient).ShouldBe(("lake.busy", true));
    }

    [Fact]
    public async Task A_copy_whose_answer_is_empty_is_a_transient_error()
    {
        await using var s3 = await ScriptedS3.StartAsync(_ => Task.CompletedTask);
        var error = await Should.ThrowAsync<LakeException>(async () => await ObjectStores.Open(s3.Options).CopyAsync("a", "b", Token));
        error.IsTransient.ShouldBeTrue();
    }

    [Fact]
    public async Task An_upload_whose_completion_fails_behind_its_status_of_200_is_a_transient_error()
    {
        await using var s3 = await ScriptedS3.StartAsync(context => UploadAsync(context, () => context.Response.WriteAsync(Failed)));
        var error = await Should.ThrowAsync<LakeException>(async () => await ObjectStores.Open(s3.Options).PutFileAsync("big", big, Token));
        (error.Code, error.IsTransient).ShouldBe(("lake.busy", true));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task After_a_lost_answer_to_a_completion_the_objects_mark_tells_whether_it_is_there(bool ours)
    {
        var (mark, completions) = ("", 0);
        await using var s3 = await ScriptedS3.StartAsync(async context =>
        {
            if (context.Request.Query.ContainsKey("uploads")) mark = ours ? context.Request.Headers[Mark].ToString() : "somebody-else";
            if (context.Request.Method == "HEAD") context.Response.Headers[Mark] = mark;
            else await UploadAsync(context, () => ++completions == 1 ? Abort(context) : ScriptedS3.ErrorAsync(context, 404, "NoSuchUpload"));
        });
        var put = async () => await ObjectStores.Open(s3.Options).PutFileAsync("big", big, Token);
        if (ours) await put();
        else (await put.ShouldThrowAsync<LakeException>()).IsTransient.ShouldBeTrue();
    }

    [Fact]
    public async Task A_list_that_is_empty_without_saying_so_is_a_transient_error()
    {
        await using var s3 = await ScriptedS3.StartAsync(_ => Task.CompletedTask);
        var error = await Should.ThrowAsync<LakeException>(async () => await ObjectStores.Open(s3.Options).ListAsync("", Token).ToListAsync(Token));
        error.IsTransient.ShouldBeTrue();
    }

    [Fact]
    public async Task A_list_that_ends_early_is_a_transient_error()
    {
        await using var s3 = await ScriptedS3.StartAsync(context => context.Response.WriteAsync(
            "<ListBucketResult><Name>bucket</Name><IsTruncated>false</IsTruncated><Contents><Key>lake/a</Key><Size>1</Size></Contents><Contents><Key>lake/b</Ke"));
        var error = await Should.ThrowAsync<LakeException>(async () => await ObjectStores.Open(s3.Options).ListAsync("", Token).ToListAsync(Token));
        error.IsTransient.ShouldBeTrue();
    }

    [Fact]
    public async Task What_stands_for_a_folder_and_what_is_hidden_is_in_no_list()
    {
        string[] keys = ["tables/t/", "tables/t/.part-0.crc", "tables/t//x", "tables/t/part-0", "tables/t/.hidden/x"];
        await using var s3 = await ScriptedS3.StartAsync(context => context.Response.WriteAsync(
            $"<ListBucketResult><Name>bucket</Name><IsTruncated>false</IsTruncated>{string.Concat(keys.Select(k => $"<Contents><Key>lake/{k}</Key><Size>1</Size></Contents>"))}</ListBucketResult>"));
        (await ObjectStores.Open(s3.Options).ListAsync("tables/", Token).Select(o => o.Key).ToListAsync(Token)).ShouldBe(["tables/t/part-0"]);
    }

    [Fact]
    public async Task A_clock_that_is_off_does_not_fail_a_conditional_put()
    {
        var ahead = TimeSpan.FromHours(3);
        await using var s3 = await ScriptedS3.StartAsync(async context =>
        {
            var now = DateTimeOffset.UtcNow + ahead;
            context.Response.Headers.Date = now.ToString("r");
            var said = DateTimeOffset.ParseExact(context.Request.Headers["x-amz-date"].ToString(), "yyyyMMdd'T'HHmmss'Z'", null, System.Globalization.DateTimeStyles.AssumeUniversal);
            if ((now - said).Duration() > TimeSpan.FromMinutes(15)) await ScriptedS3.ErrorAsync(context, 403, "RequestTimeTooSkewed");
            else if (context.Request.Method == "HEAD") context.Response.StatusCode = 404;
        });
        (await ObjectStores.Open(s3.Options).PutIfAbsentAsync("a", "x"u8.ToArray(), Token)).ShouldBeTrue();
    }

    static Task Abort(HttpContext context)
    {
        context.Abort();
        return Task.CompletedTask;
    }

    static async Task UploadAsync(HttpContext context, Func<Task> complete)
    {
        if (context.Request.Query.ContainsKey("uploads"))
            await context.Response.WriteAsync("<InitiateMultipartUploadResult><Bucket>bucket</Bucket><Key>lake/big</Key><UploadId>u1</UploadId></InitiateMultipartUploadResult>");
        else if (context.Request.Method == "DELETE") context.Response.StatusCode = 204;
        else if (context.Request.Method == "PUT") context.Response.Headers.ETag = "\"part\"";
        else await complete();
    }
}
