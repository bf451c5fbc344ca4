using LeanPipe.Lake;
using Microsoft.AspNetCore.Http;

namespace LeanPipe.Integration.Lake;

public sealed class S3StoreTests
{
    const string Mark = "x-amz-meta-leanpipe-put";

    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task After_a_lost_answer_the_objects_mark_tells_whether_the_put_won(bool ours)
    {
        var stored = "";
        await using var s3 = await ScriptedS3.StartAsync(async context =>
        {
            if (context.Request.Method == "HEAD")
            {
                context.Response.Headers[Mark] = stored;
                return;
            }
            context.Request.Headers.IfNoneMatch.ToString().ShouldBe("*");
            if (stored.Length > 0)
            {
                await ScriptedS3.ErrorAsync(context, 412, "PreconditionFailed");
                return;
            }
            stored = ours ? context.Request.Headers[Mark].ToString() : "somebody-else";
            context.Abort();
        });
        (await ObjectStores.Open(s3.Options).PutIfAbsentAsync("a", "x"u8.ToArray(), Token)).ShouldBe(ours);
        s3.Requests.ShouldBe(["PUT /bucket/lake/a", "PUT /bucket/lake/a", "HEAD /bucket/lake/a"]);
    }

    [Fact]
    public async Task The_checksum_of_a_stream_is_the_one_that_is_signed_and_its_bytes_are_sent_as_they_are()
    {
        var (checksum, length) = ("", 0L);
        await using var s3 = await ScriptedS3.StartAsync(context =>
        {
            (checksum, length) = (context.Request.Headers["x-amz-content-sha256"].ToString(), context.Request.ContentLength ?? -1);
            return Task.CompletedTask;
        });
        using var content = new MemoryStream(new byte[300_000]);
        await ObjectStores.Open(s3.Options).PutAsync("a", content, new string('a', 64), Token);
        (checksum, length).ShouldBe((new string('a', 64), 300_000));
    }

    [Fact]
    public async Task The_checksum_of_a_file_that_goes_at_once_is_the_one_that_is_signed()
    {
        var checksum = "";
        await using var s3 = await ScriptedS3.StartAsync(context =>
        {
            checksum = $"{context.Request.Headers["x-amz-content-sha256"]} {ScriptedS3.Body(context).Length}";
            return Task.CompletedTask;
        });
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllBytesAsync(file, new byte[300_000], Token);
            await ObjectStores.Open(s3.Options).PutFileAsync("a", file, new string('a', 64), Token);
            checksum.ShouldBe($"{new string('a', 64)} 300000");
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task A_large_file_of_a_known_checksum_goes_at_once_and_in_parts_when_that_fails()
    {
        await using var s3 = await ScriptedS3.StartAsync(async context =>
        {
            if (context.Request.Method == "PUT" && !context.Request.Query.ContainsKey("partNumber")) context.Abort();
            else if (context.Request.Query.ContainsKey("uploads"))
                await context.Response.WriteAsync("<InitiateMultipartUploadResult><Bucket>bucket</Bucket><Key>lake/big</Key><UploadId>u1</UploadId></InitiateMultipartUploadResult>");
            else if (context.Request.Method == "PUT") context.Response.Headers.ETag = "\"part\"";
            else await context.Response.WriteAsync("<CompleteMultipartUploadResult><Bucket>bucket</Bucket><Key>lake/big</Key><ETag>\"whole\"</ETag></CompleteMultipartUploadResult>");
        });
        var file = Path.GetTempFileName();
        try
        {
            using (var big = File.OpenWrite(file)) big.SetLength(S3Store.PartBytes + 1);
            await ObjectStores.Open(s3.Options).PutFileAsync("big", file, new string('a', 64), Token);
        }
        finally
        {
            File.Delete(file);
        }
        s3.Requests.First().ShouldBe("PUT /bucket/lake/big");
        s3.Requests.Last().ShouldBe("POST /bucket/lake/big?uploadId=u1");
    }

    [Fact]
    public async Task A_race_that_the_store_did_not_decide_is_tried_again()
    {
        var answers = new Queue<(int, string)>([(409, "ConditionalRequestConflict"), (503, "SlowDown"), (200, "")]);
        await using var s3 = await ScriptedS3.StartAsync(context => answers.Dequeue() is var (status, code) && status != 200 ? ScriptedS3.ErrorAsync(context, status, code) : Task.CompletedTask);
        (await ObjectStores.Open(s3.Options).PutIfAbsentAsync("a", "x"u8.ToArray(), Token)).ShouldBeTrue();
        answers.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_part_that_fails_aborts_the_upload()
    {
        await using var s3 = await ScriptedS3.StartAsync(async context =>
        {
            if (context.Request.Query.ContainsKey("uploads"))
                await context.Response.WriteAsync("<InitiateMultipartUploadResult><Bucket>bucket</Bucket><Key>lake/big</Key><UploadId>u1</UploadId></InitiateMultipartUploadResult>");
            else if (context.Request.Method == "DELETE") context.Response.StatusCode = 204;
            else await ScriptedS3.ErrorAsync(context, 403, "AccessDenied");
        });
        var file = Path.GetTempFileName();
        try
        {
            using (var big = File.OpenWrite(file)) big.SetLength(S3Store.PartBytes + 1);
            var error = await Should.ThrowAsync<LakeException>(async () => await ObjectStores.Open(s3.Options).PutFileAsync("big", file, Token));
            error.Code.ShouldBe("lake.denied");
            s3.Requests.ShouldContain("DELETE /bucket/lake/big?uploadId=u1");
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [InlineData(403, "AccessDenied", "lake.denied", false)]
    [InlineData(403, "SignatureDoesNotMatch", "lake.denied", false)]
    [InlineData(404, "NoSuchBucket", "lake.no_bucket", false)]
    [InlineData(503, "SlowDown", "lake.busy", true)]
    [InlineData(500, "InternalError", "lake.busy", true)]
    [InlineData(501, "NotImplemented", "lake.unsupported", false)]
    public async Task An_error_says_where_and_what_to_check_and_never_a_secret(int status, string answer, string code, bool transient)
    {
        await using var s3 = await ScriptedS3.StartAsync(context => ScriptedS3.ErrorAsync(context, status, answer));
        var error = await Should.ThrowAsync<LakeException>(async () => await ObjectStores.Open(s3.Options).PutIfAbsentAsync("runs/r/plan.json", "x"u8.ToArray(), Token));
        (error.Code, error.IsTransient).ShouldBe((code, transient));
        error.Message.ShouldContain("'lake/runs/r/plan.json' in bucket 'bucket'");
        error.ToString().ShouldNotContain("a-secret-that-nobody-may-see");
    }

    [Fact]
    public async Task A_download_that_ends_early_is_a_transient_error_and_never_a_short_object()
    {
        await using var s3 = await ScriptedS3.StartAsync(async context =>
        {
            context.Response.ContentLength = 100;
            await context.Response.WriteAsync("only this");
            await context.Response.Body.FlushAsync();
            context.Abort();
        });
        var error = await Should.ThrowAsync<LakeException>(async () => await ObjectStores.Open(s3.Options).GetAsync("a", Token));
        error.IsTransient.ShouldBeTrue();
    }

    [Fact]
    public async Task Each_read_of_a_download_is_given_up_by_its_own_token_and_by_no_other()
    {
        await using var s3 = await ScriptedS3.StartAsync(async context =>
        {
            context.Response.ContentLength = 100;
            await context.Response.WriteAsync("onetwo");
            await context.Response.Body.FlushAsync();
            var gone = new TaskCompletionSource();
            await using var left = context.RequestAborted.Register(gone.SetResult);
            await gone.Task;
        });
        await using var stream = (await ObjectStores.Open(s3.Options).OpenAsync("a", 0, null, Token)).ShouldNotBeNull();
        var bytes = new byte[3];
        using (var first = CancellationTokenSource.CreateLinkedTokenSource(Token))
        {
            await stream.ReadExactlyAsync(bytes, first.Token);
            await first.CancelAsync();
        }
        await stream.ReadExactlyAsync(bytes, Token);
        bytes.ShouldBe("two"u8.ToArray());
        using var second = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var waiting = stream.ReadAsync(bytes, second.Token).AsTask();
        waiting.IsCompleted.ShouldBeFalse();
        await second.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(() => waiting);
    }

    [Fact]
    public async Task A_store_that_is_not_there_is_a_transient_error_that_names_the_setting()
    {
        var store = ObjectStores.Open(new() { Root = "s3://bucket", Endpoint = new Uri($"http://127.0.0.1:{FreePort.Next()}"), AccessKey = "k", SecretKey = "s" });
        var error = await Should.ThrowAsync<LakeException>(async () => await store.SizeAsync("a", Token));
        (error.Code, error.IsTransient).ShouldBe(("lake.unreachable", true));
        error.Message.ShouldContain(LakeOptions.EndpointVariable);
    }
}
