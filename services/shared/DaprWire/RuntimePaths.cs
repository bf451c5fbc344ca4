namespace LeanPipe.DaprWire;

/// <summary>The request paths of the runtime service that are served here. Jobs have two names: older runtimes and SDKs say Alpha1.</summary>
public static class RuntimePaths
{
    public const string Service = "/dapr.proto.runtime.v1.Dapr/";

    public const string ScheduleJob = Service + "ScheduleJob";
    public const string GetJob = Service + "GetJob";
    public const string DeleteJob = Service + "DeleteJob";

    /// <summary>Behind the name of a call that has an older one.</summary>
    public const string Alpha = "Alpha1";

    public const string PublishEvent = Service + "PublishEvent";

    public const string GetMetadata = Service + "GetMetadata";
    public const string SetMetadata = Service + "SetMetadata";
    public const string Shutdown = Service + "Shutdown";
}
