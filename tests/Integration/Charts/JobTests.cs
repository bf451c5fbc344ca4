using System.Text.RegularExpressions;
using LeanPipe.Orchestrator;

namespace LeanPipe.Integration.Charts;

/// <summary>What the chart hands over and the launcher makes of it, together.</summary>
public sealed partial class JobTests
{
    [Theory]
    [InlineData("dev")]
    [InlineData("everything")]
    [InlineData("ha")]
    public void The_chart_s_template_becomes_a_Job_that_Kubernetes_knows_every_field_of(string name)
    {
        ChartTools.Require();
        var manifests = File.ReadAllText(Path.Combine(ChartTools.Root, "tests", "golden", "charts", name, "manifests.yaml"));
        var template = Indent().Replace(Template().Match(manifests).Groups["json"].Value, "");
        var options = new KubernetesOptions { Server = new("https://10.0.0.1"), Namespace = "plant", JobTemplate = "", Owner = "orchestrator" };
        var job = TaskJob.Build(template, "lp-x", new(new("run"), new("step"), new(0), 1, new()), options, "uid");
        job["spec"]!["template"]!["spec"]!["securityContext"]!["runAsNonRoot"]!.GetValue<bool>().ShouldBeTrue();

        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, job.ToJsonString());
            ChartTools.CheckManifests(file).Output.ShouldBe("0 faults\n");
        }
        finally
        {
            File.Delete(file);
        }
    }

    [GeneratedRegex("^  job\\.json: \\|\n(?<json>(    .*\n)+)", RegexOptions.Multiline | RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex Template();

    [GeneratedRegex("^    ", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex Indent();
}
