using System.Text.RegularExpressions;
using LeanPipe.Contracts;
using LeanPipe.Orchestrator;

namespace LeanPipe.Unit.Kubernetes;

public sealed class TaskJobTests
{
    static readonly Uri Lake = new("s3://lake/plant");
    const string Template = """{"spec":{"template":{"spec":{"containers":[{"name":"steprunner","image":"i"}],"volumes":[{"name":"scratch"}]}}}}""";

    [Fact]
    public void A_name_follows_from_the_attempt_and_from_nothing_else()
    {
        Name().ShouldBe(Name());
        var names = new[]
        {
            Name(), Name(run: "run-2"), Name(step: "by-sensor"), Name(task: 1), Name(attempt: 2),
            TaskJob.Name(Attempt(), "other", Lake), TaskJob.Name(Attempt(), "owner", new Uri("s3://lake/other")),
        };
        names.Distinct().Count().ShouldBe(names.Length);
    }

    [Theory]
    [InlineData("a", 0, 1)]
    [InlineData("by_sensor", 12345, 12)]
    [InlineData("a_step_whose_name_is_as_long_as_any_name_may_be_which_is_63_char", 99999, 999999)]
    [InlineData("trailing-_-", 1, 1)]
    public void A_name_is_a_DNS_label_that_leaves_room_for_the_pod_s_suffix(string step, int task, int attempt)
    {
        var name = Name($"0-{new string('R', 60)}_-", step[..Math.Min(step.Length, 63)], task, attempt);
        name.Length.ShouldBeLessThanOrEqualTo(57);
        Regex.IsMatch(name, "^[a-z]([-a-z0-9]*[a-z0-9])?$").ShouldBeTrue(name);
    }

    [Fact]
    public void The_template_s_own_fields_stay_and_the_attempt_s_are_added()
    {
        var job = TaskJob.Build(
            """
            {"metadata":{"labels":{"team":"data"}},"spec":{"ttlSecondsAfterFinished":600,"template":{"metadata":{"annotations":{"a":"b"}},"spec":{
              "containers":[{"name":"steprunner","image":"i","resources":{"requests":{"cpu":"100m"}}},{"name":"other"}],
              "volumes":[{"name":"tmp","emptyDir":{}},{"name":"scratch","emptyDir":{"medium":""}}],"nodeSelector":{"disk":"ssd"}}}}}
            """,
            "lp-x", Attempt(), Options, "uid-1").ToJsonString();
        job.ShouldBe("""
            {"metadata":{"labels":{"team":"data","leanpipe.cloud/owner":"owner","leanpipe.cloud/step":"by_sensor","leanpipe.cloud/task":"00000","leanpipe.cloud/run":"run-1"},
            "name":"lp-x","namespace":"plant","annotations":{"leanpipe.cloud/attempt":"run-1/by_sensor/00000/1"},
            "ownerReferences":[{"apiVersion":"apps/v1","kind":"Deployment","name":"owner","uid":"uid-1"}]},
            "spec":{"ttlSecondsAfterFinished":600,"template":{"metadata":{"annotations":{"a":"b"},
            "labels":{"leanpipe.cloud/owner":"owner","leanpipe.cloud/step":"by_sensor","leanpipe.cloud/task":"00000","leanpipe.cloud/run":"run-1"}},
            "spec":{"containers":[{"name":"steprunner","image":"i","resources":{"requests":{"cpu":"100m","memory":"1073741824"},"limits":{"memory":"1073741824"}},
            "args":["--task","runs/run-1/by_sensor/00000/task.json","--attempt","1","--scratch","/scratch"],"terminationMessagePolicy":"FallbackToLogsOnError"},{"name":"other"}],
            "volumes":[{"name":"tmp","emptyDir":{}},{"name":"scratch","emptyDir":{"medium":"","sizeLimit":"11878268928"}}],"nodeSelector":{"disk":"ssd"},
            "restartPolicy":"Never","activeDeadlineSeconds":3660}},"backoffLimit":0,"activeDeadlineSeconds":4440}}
            """.ReplaceLineEndings(""));
    }

    [Fact]
    public void A_run_whose_id_is_no_label_is_named_by_the_annotation()
    {
        var job = TaskJob.Build(Template, "lp-x", Attempt(run: new string('r', 64)), Options, null);
        job["metadata"]!["labels"]!["leanpipe.cloud/run"].ShouldBeNull();
        job["metadata"]!["annotations"]![TaskJob.AttemptAnnotation]!.ToString().ShouldStartWith("rrr");
        job["metadata"]!["ownerReferences"].ShouldBeNull();
    }

    [Theory]
    [InlineData("{", "it is no JSON")]
    [InlineData("[]", "it is no JSON object")]
    [InlineData("{}", "has none called 'steprunner'")]
    [InlineData("""{"spec":{"template":{"spec":{"containers":[{"name":"steprunner"}]}}}}""", "has none called 'scratch'")]
    public void A_template_that_does_not_fit_is_refused(string template, string message)
    {
        var e = Should.Throw<LeanPipeException>(() => TaskJob.Build(template, "lp-x", Attempt(), Options, null));
        e.Code.ShouldBe("kubernetes.bad_template");
        e.Message.ShouldContain(message);
    }

    static KubernetesOptions Options { get; } = new() { Server = new("https://10.0.0.1"), Namespace = "plant", JobTemplate = "t", Owner = "owner" };

    static string Name(string run = "run-1", string step = "by_sensor", int task = 0, int attempt = 1) => TaskJob.Name(Attempt(run, step, task, attempt), "owner", Lake);

    static TaskAttempt Attempt(string run = "run-1", string step = "by_sensor", int task = 0, int attempt = 1) => new(new(run), new(step), new(task), attempt, new());
}
