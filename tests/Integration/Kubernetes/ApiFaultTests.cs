using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using LeanPipe.Contracts;
using LeanPipe.Orchestrator;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace LeanPipe.Integration.Kubernetes;

/// <summary>What a real API server does now and then, and never when a test asks for it.</summary>
public sealed class ApiFaultTests
{
    [Theory]
    [InlineData(429)]
    [InlineData(500)]
    [InlineData(503)]
    [InlineData(504)]
    public async Task A_call_that_fails_for_a_passing_reason_is_made_again(int code)
    {
        await using var lab = await LauncherLab.StartAsync();
        var left = 3;
        lab.Cluster.Intercept = async http =>
        {
            if (http.Request.Method != "POST" || left-- <= 0) return false;
            http.Response.Headers.RetryAfter = "0";
            await ScriptedCluster.Status(http, code, "not now");
            return true;
        };
        var run = lab.RunAsync(LauncherLab.Attempt());
        lab.Cluster.PodEnds(await lab.Cluster.NextJobAsync(), 0);
        (await run).ExitCode.ShouldBe(0);
        lab.Cluster.Calls.Count(c => c.StartsWith("POST", StringComparison.Ordinal)).ShouldBe(4);
    }

    [Fact]
    public async Task A_Job_whose_answer_was_lost_is_found_and_not_made_twice()
    {
        await using var lab = await LauncherLab.StartAsync();
        var lost = false;
        lab.Cluster.Intercept = async http =>
        {
            if (http.Request.Method != "POST" || lost) return false;
            lost = true;
            await lab.Cluster.TakeAsync(http);
            http.Abort();
            return true;
        };
        var run = lab.RunAsync(LauncherLab.Attempt());
        lab.Cluster.PodEnds(await lab.Cluster.NextJobAsync(), 0);
        (await run).ExitCode.ShouldBe(0);
        lab.Cluster.Calls.Count(c => c.StartsWith("POST", StringComparison.Ordinal)).ShouldBe(2);
        lab.Cluster.Jobs.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_Job_of_this_name_that_is_somebody_else_s_is_left_alone()
    {
        await using var lab = await LauncherLab.StartAsync();
        var attempt = LauncherLab.Attempt();
        var name = TaskJob.Name(attempt, lab.Options.Owner, lab.Lake.Root);
        lab.Cluster.Put("jobs", new() { ["metadata"] = new System.Text.Json.Nodes.JsonObject { ["name"] = name } });
        (await lab.RunAsync(attempt)).Error.ShouldNotBeNull().Code.ShouldBe("task.job_name_taken");
        lab.Cluster.Jobs.ShouldBe([name]);
    }

    [Fact]
    public async Task A_call_without_an_answer_is_given_up_and_made_again()
    {
        await using var lab = await LauncherLab.StartAsync(o => o with { CallTimeout = TimeSpan.FromMilliseconds(300) });
        var first = true;
        lab.Cluster.Intercept = async http =>
        {
            if (http.Request.Method != "POST" || !first) return false;
            first = false;
            var gaveUp = new TaskCompletionSource();
            await using var given = http.RequestAborted.Register(gaveUp.SetResult);
            await gaveUp.Task;
            return true;
        };
        var run = lab.RunAsync(LauncherLab.Attempt());
        lab.Cluster.PodEnds(await lab.Cluster.NextJobAsync(), 0);
        (await run).ExitCode.ShouldBe(0);
    }

    [Fact]
    public async Task A_server_that_stays_away_fails_the_activity_for_a_passing_reason()
    {
        await using var lab = await LauncherLab.StartAsync(o => o with { RetryFor = TimeSpan.FromMilliseconds(50) });
        lab.Cluster.Intercept = async http =>
        {
            if (http.Request.Method == "GET") return false;
            await ScriptedCluster.Status(http, 500, "etcdserver: no leader");
            return true;
        };
        var e = await Should.ThrowAsync<LeanPipeException>(lab.RunAsync(LauncherLab.Attempt()));
        (e.Code, e.IsTransient).ShouldBe(("kubernetes.unavailable", true));
        e.Message.ShouldContain("etcdserver: no leader");
    }

    [Fact]
    public async Task A_token_that_was_replaced_is_read_again()
    {
        await using var lab = await LauncherLab.StartAsync();
        lab.Cluster.Intercept = async http =>
        {
            if (http.Request.Method != "POST" || http.Request.Headers.Authorization == "Bearer second") return false;
            await File.WriteAllTextAsync(lab.TokenFile, "second");
            await ScriptedCluster.Status(http, 401, "Unauthorized");
            return true;
        };
        var run = lab.RunAsync(LauncherLab.Attempt());
        lab.Cluster.PodEnds(await lab.Cluster.NextJobAsync(), 0);
        (await run).ExitCode.ShouldBe(0);
        lab.Cluster.Tokens.ShouldContain("Bearer first");
    }

    [Fact]
    public async Task A_refusal_is_told_and_not_repeated()
    {
        await using var lab = await LauncherLab.StartAsync();
        lab.Cluster.Intercept = async http =>
        {
            if (http.Request.Method != "POST") return false;
            await ScriptedCluster.Status(http, 403, "jobs.batch is forbidden: violates PodSecurity \"restricted\"");
            return true;
        };
        var error = (await lab.RunAsync(LauncherLab.Attempt())).Error.ShouldNotBeNull();
        error.Code.ShouldBe("task.job_refused");
        error.Message.ShouldContain("PodSecurity");
        lab.Cluster.Calls.Count(c => c.StartsWith("POST", StringComparison.Ordinal)).ShouldBe(1);
    }

    [Fact]
    public async Task A_quota_that_is_used_up_is_waited_for()
    {
        await using var lab = await LauncherLab.StartAsync();
        var left = 2;
        lab.Cluster.Intercept = async http =>
        {
            if (http.Request.Method != "POST" || left-- <= 0) return false;
            await ScriptedCluster.Status(http, 403, "exceeded quota: pods, requested: count/jobs.batch=1");
            return true;
        };
        var run = lab.RunAsync(LauncherLab.Attempt());
        lab.Cluster.PodEnds(await lab.Cluster.NextJobAsync(), 0);
        (await run).ExitCode.ShouldBe(0);
    }

    [Fact]
    public async Task A_dropped_watch_goes_on_where_it_was()
    {
        await using var lab = await LauncherLab.StartAsync();
        var run = lab.RunAsync(LauncherLab.Attempt());
        var job = await lab.Cluster.NextJobAsync();
        lab.Cluster.Pod(job, """{"phase":"Pending"}""");
        lab.Cluster.DropWatches();
        lab.Cluster.PodEnds(job, 0);
        (await run).ExitCode.ShouldBe(0);
        lab.Cluster.Calls.Count(c => c.Contains("/pods?labelSelector", StringComparison.Ordinal)).ShouldBe(1, "it was listed once, the rest was streamed");
    }

    [Fact]
    public async Task A_watch_whose_version_is_gone_lists_again_and_tells_what_is_missing()
    {
        await using var lab = await LauncherLab.StartAsync();
        var run = lab.RunAsync(LauncherLab.Attempt());
        var first = await lab.Cluster.NextJobAsync();
        var other = lab.RunAsync(LauncherLab.Attempt(task: 1));
        var second = await lab.Cluster.NextJobAsync();
        lab.Cluster.Pod(first, """{"phase":"Running","containerStatuses":[{"state":{"running":{}}}]}""");

        // Nobody watches while the one pod ends and the other one goes with its Job, whether they were seen before or not; then the versions of all that are forgotten.
        var open = new TaskCompletionSource();
        lab.Cluster.Intercept = async http =>
        {
            if (http.Request.Query.ContainsKey("watch")) await open.Task;
            return false;
        };
        lab.Cluster.DropWatches();
        lab.Cluster.PodEnds(second, 0);
        lab.Cluster.Remove("jobs", first);
        lab.Cluster.Remove("pods", $"{first}-x1");
        lab.Cluster.Compact();
        open.SetResult();

        (await other).ExitCode.ShouldBe(0);
        (await run).Error.ShouldNotBeNull().Code.ShouldBe("task.pod_deleted");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_server_s_certificate_is_checked_against_the_cluster_s_own(bool own)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=scripted", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(System.Net.IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: false, 0, critical: true));
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        using var stranger = new CertificateRequest("CN=scripted", ECDsa.Create(ECCurve.NamedCurves.nistP256), HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, (own ? certificate : stranger).ExportCertificatePem());
            await using var lab = await LauncherLab.StartAsync(o => o with { CaFile = file, RetryFor = TimeSpan.FromMilliseconds(50) }, listen => listen.UseHttps(certificate), watching: own);
            var run = lab.RunAsync(LauncherLab.Attempt());
            if (!own)
            {
                (await Should.ThrowAsync<LeanPipeException>(run)).Message.ShouldContain("SSL");
                return;
            }
            lab.Cluster.PodEnds(await lab.Cluster.NextJobAsync(), 0);
            (await run).ExitCode.ShouldBe(0);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
