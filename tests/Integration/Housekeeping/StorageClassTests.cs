using System.Security.Cryptography;
using System.Xml.Linq;
using LeanPipe.Contracts;
using LeanPipe.Housekeeping;
using LeanPipe.Integration.Lake;
using LeanPipe.Lake;
using Microsoft.AspNetCore.Http;

namespace LeanPipe.Integration.Housekeeping;

/// <summary>Old rejected records get another storage class where they are.</summary>
public sealed class StorageClassTests
{
    const string Key = "rejected/s/old.ndjson";

    static readonly HousekeepingPolicy Policy = new() { Rejected = TimeSpan.FromDays(30), ColdClass = "GLACIER_IR", CompactToBytes = null, TableVersions = null };

    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_object_is_copied_onto_itself_with_the_class_once_and_stays()
    {
        var (objects, copies) = (new SortedDictionary<string, (byte[] Bytes, string Class)>(StringComparer.Ordinal) { [Key] = ("bad"u8.ToArray(), "STANDARD") }, 0);
        await using var s3 = await StandInAsync(objects, context =>
        {
            Uri.UnescapeDataString(context.Request.Headers["x-amz-copy-source"].ToString()).TrimStart('/').ShouldBe($"bucket/lake/{Key}");
            copies++;
            return context.Request.Headers["x-amz-storage-class"].ToString();
        });
        var store = ObjectStores.Open(s3.Options);
        var report = await PassAsync(store);
        report.Removals.ShouldHaveSingleItem().ShouldSatisfyAllConditions(r => r.StorageClass.ShouldBe("GLACIER_IR"), r => r.Rule.ShouldBe("rejected"), r => r.To.ShouldBeNull());
        objects[Key].Class.ShouldBe("GLACIER_IR");
        (await PassAsync(store)).Removals.ShouldBeEmpty("it has the class already");
        copies.ShouldBe(1);
        System.Text.Encoding.UTF8.GetString(objects.Single(o => o.Key.StartsWith(HousekeepingPass.AuditPrefix, StringComparison.Ordinal)).Value.Bytes).ShouldContain("\"storage_class\":\"GLACIER_IR\"");
    }

    [Fact]
    public async Task A_store_that_takes_the_request_and_leaves_the_class_is_named()
    {
        await using var s3 = await StandInAsync(new(StringComparer.Ordinal) { [Key] = ("bad"u8.ToArray(), "STANDARD") }, _ => "STANDARD");
        var error = await Should.ThrowAsync<LakeException>(() => PassAsync(ObjectStores.Open(s3.Options)));
        (error.Code, error.IsTransient).ShouldBe(("lake.unsupported", false));
        error.Message.ShouldContain("lists it as STANDARD");
    }

    [Fact]
    public async Task A_folder_has_no_classes()
    {
        await using var at = TestStore.Folder();
        (await Should.ThrowAsync<LakeException>(() => PassAsync(at.Store))).Code.ShouldBe("lake.bad_options");
    }

    [Fact]
    public async Task A_real_store_gives_the_class_or_says_that_it_has_none()
    {
        await using var at = await TestStore.S3Async();
        await at.Store.PutAsync(Key, "bad"u8.ToArray(), Token);
        try
        {
            await at.Store.SetStorageClassAsync(Key, "STANDARD_IA", Token);
        }
        catch (LakeException e)
        {
            e.IsTransient.ShouldBeFalse(e.Message);
        }
        (await at.Store.GetAsync(Key, Token)).ShouldNotBeNull().ToArray().ShouldBe("bad"u8.ToArray());
        var listed = (await at.Store.ListAsync(Key, Token).ToListAsync(Token)).ShouldHaveSingleItem();
        TestContext.Current.TestOutputHelper?.WriteLine($"the store lists it as {listed.StorageClass}");
        listed.StorageClass.ShouldBeOneOf("STANDARD", "STANDARD_IA");
    }

    static Task<HousekeepingReport> PassAsync(IObjectStore store) =>
        HousekeepingPass.RunAsync(store, Policy, null, null, new() { ClockIsRight = true }, new SetTime(DateTimeOffset.UtcNow.AddDays(60)), Token);

    /// <param name="copy">The class that a copy leaves.</param>
    static Task<ScriptedS3> StandInAsync(SortedDictionary<string, (byte[] Bytes, string Class)> objects, Func<HttpContext, string> copy) => ScriptedS3.StartAsync(async context =>
    {
        var request = context.Request;
        var key = request.Path.Value!["/bucket".Length..].TrimStart('/');
        key = key.StartsWith("lake/", StringComparison.Ordinal) ? key["lake/".Length..] : "";
        XNamespace s3 = "http://s3.amazonaws.com/doc/2006-03-01/";
        switch (request.Method)
        {
            case "GET" when request.Query.ContainsKey("list-type"):
                var prefix = request.Query["prefix"].ToString();
                await context.Response.WriteAsync(new XElement(
                    s3 + "ListBucketResult", new XElement(s3 + "IsTruncated", "false"),
                    objects.Where(o => $"lake/{o.Key}".StartsWith(prefix, StringComparison.Ordinal)).Select(o => new XElement(
                        s3 + "Contents", new XElement(s3 + "Key", $"lake/{o.Key}"), new XElement(s3 + "LastModified", DateTime.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss.000'Z'")),
                        new XElement(s3 + "Size", o.Value.Bytes.Length), new XElement(s3 + "StorageClass", o.Value.Class)))).ToString());
                break;
            case "GET" when objects.TryGetValue(key, out var found):
                await context.Response.Body.WriteAsync(found.Bytes);
                break;
            case "PUT" when request.Headers.ContainsKey("x-amz-copy-source"):
                objects[key] = (objects[key].Bytes, copy(context));
                await context.Response.WriteAsync(new XElement(s3 + "CopyObjectResult", new XElement(s3 + "ETag", Convert.ToHexStringLower(MD5.HashData(objects[key].Bytes)))).ToString());
                break;
            case "PUT":
                objects[key] = (ScriptedS3.Body(context), "STANDARD");
                break;
            default:
                await ScriptedS3.ErrorAsync(context, 404, "NoSuchKey");
                break;
        }
    });
}
