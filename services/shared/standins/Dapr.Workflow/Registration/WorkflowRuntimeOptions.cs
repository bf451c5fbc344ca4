using Dapr.Workflow.Abstractions;
using Dapr.Workflow.Worker;

namespace Dapr.Workflow;

/// <summary>What this worker runs. Names are compared without case; the first registration of a name stays.</summary>
public sealed class WorkflowRuntimeOptions
{
    internal WorkflowRuntimeOptions()
    {
    }

    internal WorkerRegistry Registry { get; } = new();

    public void RegisterWorkflow<TInput, TOutput>(string name, Func<WorkflowContext, TInput, Task<TOutput>> implementation)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(implementation);
        Registry.AddWorkflow(name, _ => new FunctionWorkflow<TInput, TOutput>(implementation));
    }

    /// <param name="name">The type's name when null.</param>
    public void RegisterWorkflow<TWorkflow>(string? name = null)
        where TWorkflow : class, IWorkflow =>
        Registry.AddWorkflow<TWorkflow>(name ?? typeof(TWorkflow).Name);

    public void RegisterActivity<TInput, TOutput>(string name, Func<WorkflowActivityContext, TInput, Task<TOutput>> implementation)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(implementation);
        Registry.AddActivity(name, _ => new FunctionActivity<TInput, TOutput>(implementation));
    }

    /// <param name="name">The type's name when null.</param>
    public void RegisterActivity<TActivity>(string? name = null)
        where TActivity : class, IWorkflowActivity =>
        Registry.AddActivity<TActivity>(name ?? typeof(TActivity).Name);

    sealed class FunctionWorkflow<TInput, TOutput>(Func<WorkflowContext, TInput, Task<TOutput>> implementation) : Workflow<TInput, TOutput>
    {
        public override Task<TOutput> RunAsync(WorkflowContext context, TInput input) => implementation(context, input);
    }

    sealed class FunctionActivity<TInput, TOutput>(Func<WorkflowActivityContext, TInput, Task<TOutput>> implementation) : WorkflowActivity<TInput, TOutput>
    {
        public override Task<TOutput> RunAsync(WorkflowActivityContext context, TInput input) => implementation(context, input);
    }
}
