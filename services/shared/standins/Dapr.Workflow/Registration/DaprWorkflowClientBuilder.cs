using System.Text.Json;
using Dapr.Common.Serialization;
using Dapr.Workflow.Serialization;

namespace Dapr.Workflow.Registration;

/// <summary>What is set of a client before it is made. The worker's serializer is not the client's: set both, or neither.</summary>
public sealed class DaprWorkflowClientBuilder
{
    internal DaprWorkflowClientBuilder()
    {
    }

    internal Payloads Payloads { get; private set; } = Payloads.Json;

    public DaprWorkflowClientBuilder UseJsonSerializer(JsonSerializerOptions jsonOptions)
    {
        Payloads = new Payloads(new JsonDaprSerializer(jsonOptions));
        return this;
    }
}
