namespace Dapr.Workflow.Client;

/// <summary>How an instance is started; <see cref="DaprWorkflowClient"/> takes the two as arguments.</summary>
public class StartWorkflowOptions
{
    /// <summary>Null = a generated one.</summary>
    public string? InstanceId { get; set; }

    /// <summary>Null = at once.</summary>
    public DateTimeOffset? StartAt { get; set; }
}

/// <summary>Builds <see cref="StartWorkflowOptions"/> step by step.</summary>
public sealed class StartWorkflowOptionsBuilder
{
    string? _instanceId;
    DateTimeOffset? _startAt;

    public StartWorkflowOptionsBuilder WithInstanceId(string instanceId)
    {
        _instanceId = instanceId;
        return this;
    }

    public StartWorkflowOptionsBuilder StartAt(DateTimeOffset startAt)
    {
        _startAt = startAt;
        return this;
    }

    /// <summary>Counts from this call, by the machine's clock.</summary>
    public StartWorkflowOptionsBuilder StartAfter(TimeSpan delay) => StartAt(DateTimeOffset.UtcNow + delay);

    public StartWorkflowOptions Build() => new() { InstanceId = _instanceId, StartAt = _startAt };

    public static implicit operator StartWorkflowOptions(StartWorkflowOptionsBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.Build();
    }
}
