using LeanPipe.Contracts;
using LeanPipe.Orchestrator;

namespace LeanPipe.Unit.Kubernetes;

public sealed class EnvironmentTests : IDisposable
{
    readonly string _template = Path.GetTempFileName();

    public void Dispose() => File.Delete(_template);

    [Fact]
    public void Outside_a_cluster_or_without_a_template_tasks_are_child_processes()
    {
        KubernetesOptions.FromEnvironment(_ => null).ShouldBeNull();
        Cluster(("LEANPIPE_JOB_TEMPLATE", null)).ShouldBeNull();
        Cluster(("KUBERNETES_SERVICE_HOST", null)).ShouldBeNull();
    }

    [Fact]
    public void Inside_a_cluster_the_pod_s_environment_says_everything()
    {
        var options = Cluster(("LEANPIPE_UNSCHEDULABLE_AFTER", "90s"), ("LEANPIPE_UNSTARTABLE_AFTER", "1.5m")).ShouldNotBeNull();
        options.ShouldBe(new KubernetesOptions
        {
            Server = new("https://10.96.0.1:6443"),
            Namespace = "plant",
            JobTemplate = _template,
            Owner = "lake-orchestrator",
            UnschedulableAfter = TimeSpan.FromSeconds(90),
            UnstartableAfter = TimeSpan.FromSeconds(90),
        });
        Cluster(("KUBERNETES_SERVICE_HOST", "fd00::1"), ("KUBERNETES_SERVICE_PORT", null))!.Server.ShouldBe(new Uri("https://[fd00::1]:443"));
    }

    [Fact]
    public void Everything_that_is_wrong_is_said_at_once()
    {
        var e = Should.Throw<LeanPipeException>(() => Cluster(("LEANPIPE_JOB_OWNER", null), ("LEANPIPE_JOB_TEMPLATE", "/nowhere/job.json"), ("LEANPIPE_UNSCHEDULABLE_AFTER", "soon")));
        e.Code.ShouldBe("orchestrator.bad_options");
        foreach (var part in (string[])["LEANPIPE_JOB_OWNER is not set", "'/nowhere/job.json', which does not exist", "LEANPIPE_UNSCHEDULABLE_AFTER is 'soon': expected a duration"]) e.Message.ShouldContain(part);
    }

    [Fact]
    public void Tasks_get_what_the_chart_gives_them()
    {
        var options = OrchestratorEnvironment.Read(new() { Root = "." }, Variables(
            ("LEANPIPE_MAX_TASKS", "7"), ("LEANPIPE_TASK_THREADS", "3"), ("LEANPIPE_TASK_MEMORY", "1.5Gi"), ("LEANPIPE_TASK_SCRATCH", "20Gi"), ("LEANPIPE_TASK_TIMEOUT", "2h")));
        options.MaxConcurrentTasks.ShouldBe(7);
        options.TaskLimits.ShouldBe(new() { Threads = 3, MemoryBytes = 1536L << 20, ScratchBytes = 20L << 30, Timeout = TimeSpan.FromHours(2) });
        options.Kubernetes.ShouldNotBeNull();
    }

    [Theory]
    [InlineData("LEANPIPE_TASK_MEMORY", "1GB")]
    [InlineData("LEANPIPE_TASK_MEMORY", "0")]
    [InlineData("LEANPIPE_TASK_MEMORY", "-1Gi")]
    [InlineData("LEANPIPE_TASK_TIMEOUT", "1")]
    [InlineData("LEANPIPE_MAX_TASKS", "many")]
    public void A_quantity_that_is_none_is_refused_by_its_name(string name, string value) =>
        Should.Throw<LeanPipeException>(() => OrchestratorEnvironment.Read(new() { Root = "." }, Variables((name, value)))).Message.ShouldContain($"{name} is '{value}': expected");

    KubernetesOptions? Cluster(params (string Name, string? Value)[] changes) => KubernetesOptions.FromEnvironment(Variables(changes));

    Func<string, string?> Variables(params (string Name, string? Value)[] changes)
    {
        var all = new Dictionary<string, string?>
        {
            ["KUBERNETES_SERVICE_HOST"] = "10.96.0.1",
            ["KUBERNETES_SERVICE_PORT"] = "6443",
            ["LEANPIPE_JOB_TEMPLATE"] = _template,
            ["LEANPIPE_JOB_OWNER"] = "lake-orchestrator",
            ["LEANPIPE_JOB_NAMESPACE"] = "plant",
        };
        foreach (var (name, value) in changes) all[name] = value;
        return name => all.GetValueOrDefault(name);
    }
}
