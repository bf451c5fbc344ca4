namespace LeanPipe.Contracts;

/// <summary>The names that the services meet under on the sidecar.</summary>
public static class EventNames
{
    /// <summary>The pub/sub component.</summary>
    public const string PubSub = "pubsub";

    /// <summary>Topic of <see cref="Contracts.WindowSealed"/>.</summary>
    public const string WindowSealed = "window-sealed";

    /// <summary>The workflow that interprets a pipeline's DAG; its input is a <see cref="RunRequest"/>.</summary>
    public const string PipelineWorkflow = "pipeline";
}
