namespace LeanPipe.DaprWire;

/// <summary>The request path of every call of the task hub. The service has no package, so its path is its bare name.</summary>
public static class TaskHubPaths
{
    public const string Service = "/TaskHubSidecarService/";

    public const string Hello = Service + "Hello";

    /// <summary>Server stream: one <see cref="GetWorkItemsRequest"/>, then <see cref="WorkItem"/>s without end.</summary>
    public const string GetWorkItems = Service + "GetWorkItems";

    /// <summary>The older name of <see cref="CompleteWorkflowTask"/>; the SDKs call this one.</summary>
    public const string CompleteOrchestratorTask = Service + "CompleteOrchestratorTask";
    public const string CompleteWorkflowTask = Service + "CompleteWorkflowTask";
    public const string CompleteActivityTask = Service + "CompleteActivityTask";

    public const string StartInstance = Service + "StartInstance";
    public const string GetInstance = Service + "GetInstance";
    public const string WaitForInstanceStart = Service + "WaitForInstanceStart";
    public const string WaitForInstanceCompletion = Service + "WaitForInstanceCompletion";
    public const string RaiseEvent = Service + "RaiseEvent";
    public const string TerminateInstance = Service + "TerminateInstance";
    public const string SuspendInstance = Service + "SuspendInstance";
    public const string ResumeInstance = Service + "ResumeInstance";
    public const string PurgeInstances = Service + "PurgeInstances";
    public const string ListInstanceIDs = Service + "ListInstanceIDs";
    public const string GetInstanceHistory = Service + "GetInstanceHistory";
    public const string RerunWorkflowFromEvent = Service + "RerunWorkflowFromEvent";
}
