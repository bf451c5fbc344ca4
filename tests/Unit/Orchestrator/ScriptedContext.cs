using System.Text.Json;
using Dapr.Workflow;
using Microsoft.Extensions.Logging;

namespace LeanPipe.Unit.Orchestrator;

/// <summary>
/// A workflow context without a sidecar. Calls pend until <see cref="RunAsync"/> answers them one by one, in the order of the calls; payloads go through JSON as on the wire.
/// </summary>
sealed class ScriptedContext(string instance, Func<string, string, Task<object?>> activity) : WorkflowContext
{
    static readonly JsonSerializerOptions Web = new(JsonSerializerDefaults.Web) { IncludeFields = true };

    readonly Queue<Func<Task>> _pending = new();
    readonly Dictionary<string, Func<WorkflowContext, string, Task<object?>>> _children = [];

    /// <summary>Names of the calls of this instance with their inputs, in order.</summary>
    public List<(string Name, string Input)> Calls { get; } = [];

    public long PayloadBytes { get; private set; }

    public List<ScriptedContext> Children { get; } = [];

    /// <summary>Whether each wait for an event gets one; without any it runs into its timeout.</summary>
    public Queue<bool> Events { get; } = [];

    /// <summary>Timers that were asked for, in order; the test fires them.</summary>
    public List<(TimeSpan Delay, TaskCompletionSource Fired)> Timers { get; } = [];

    /// <summary>Called before each answer of this instance or of one below it.</summary>
    public Action Answering { get; set; } = () => { };

    public override string Name => "pipeline";

    public override string InstanceId => instance;

    public override DateTime CurrentUtcDateTime => throw new InvalidOperationException("The workflow reads no clock.");

    public override bool IsReplaying => false;

    public ScriptedContext WithChild<TInput, TOutput>(string name, Workflow<TInput, TOutput> child)
    {
        _children[name] = async (context, input) => await child.RunAsync(context, JsonSerializer.Deserialize<TInput>(input, Web)!);
        return this;
    }

    /// <summary>Runs to the end. A workflow that awaits anything but this context never ends here, and fails.</summary>
    public Task<T> RunAsync<T>(Func<WorkflowContext, Task<T>> workflow) => Task.Run(async () =>
    {
        // On the pool, as in the worker: a test's own synchronization context would take every continuation elsewhere.
        var run = workflow(this);
        while (_pending.TryDequeue(out var next))
        {
            Answering();
            await next();
        }
        run.IsCompleted.ShouldBeTrue("the workflow waits for something that is not its context");
        return await run;
    });

    public override Task<T> CallActivityAsync<T>(string name, object? input = null, WorkflowTaskOptions? options = null)
    {
        var json = Record(name, input);
        return Pend<T>(() => activity(name, json));
    }

    public override Task<TResult> CallChildWorkflowAsync<TResult>(string workflowName, object? input = null, ChildWorkflowTaskOptions? options = null)
    {
        var json = Record(workflowName, input);
        var child = new ScriptedContext($"{instance}:{Calls.Count:x4}", activity);
        foreach (var (name, run) in _children) child._children[name] = run;
        child.Answering = () => Answering();
        Children.Add(child);
        return Pend<TResult>(() => child.RunAsync(context => _children[workflowName](context, json)));
    }

    string Record(string name, object? input)
    {
        var json = JsonSerializer.Serialize(input, Web);
        Calls.Add((name, json));
        PayloadBytes += json.Length;
        return json;
    }

    Task<T> Pend<T>(Func<Task<object?>> answer)
    {
        var source = new TaskCompletionSource<T>();
        _pending.Enqueue(async () =>
        {
            try
            {
                var json = JsonSerializer.Serialize(await answer(), Web);
                PayloadBytes += json.Length;
                source.SetResult(JsonSerializer.Deserialize<T>(json, Web)!);
            }
            catch (ActivityFault e)
            {
                source.SetException(new WorkflowTaskFailedException($"Task failed: {e.Message}", new(e.GetType().FullName!, e.Message)));
            }
        });
        return source.Task;
    }

    public override Task<T> WaitForExternalEventAsync<T>(string eventName, TimeSpan timeout)
    {
        Calls.Add(($"wait {eventName}", timeout.ToString()));
        return Events.TryDequeue(out var came) && came ? Task.FromResult<T>(default!) : Task.FromException<T>(new TaskCanceledException());
    }

    public override Task CreateTimer(TimeSpan delay, CancellationToken cancellationToken = default)
    {
        var fired = new TaskCompletionSource();
        cancellationToken.Register(() => fired.TrySetCanceled(cancellationToken));
        Timers.Add((delay, fired));
        return fired.Task;
    }

    public override bool IsPatched(string patchName) => throw new NotSupportedException();

    public override Task CreateTimer(DateTime fireAt, CancellationToken cancellationToken) => throw new NotSupportedException();

    public override Task<T> WaitForExternalEventAsync<T>(string eventName, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public override void SendEvent(string instanceId, string eventName, object payload) => throw new NotSupportedException();

    public override void SetCustomStatus(object? customStatus) => throw new NotSupportedException();

    public override ILogger CreateReplaySafeLogger(string categoryName) => throw new NotSupportedException();

    public override ILogger CreateReplaySafeLogger(Type type) => throw new NotSupportedException();

    public override ILogger CreateReplaySafeLogger<T>() => throw new NotSupportedException();

    public override void ContinueAsNew(object? newInput = null, bool preserveUnprocessedEvents = true) => throw new NotSupportedException();

    public override Guid NewGuid() => throw new NotSupportedException();

    public override PropagatedHistory? GetPropagatedHistory() => null;
}

/// <summary>What a scripted activity throws to fail after all its retries. Anything else is this process dying.</summary>
sealed class ActivityFault(string message) : Exception(message);
