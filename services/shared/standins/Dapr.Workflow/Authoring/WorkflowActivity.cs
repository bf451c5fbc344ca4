using Dapr.Workflow.Abstractions;

namespace Dapr.Workflow.Abstractions
{
    /// <summary>The name of a task.</summary>
    public readonly record struct TaskIdentifier(string Name)
    {
        public static implicit operator TaskIdentifier(string name) => new(name);

        public static implicit operator string(TaskIdentifier identifier) => identifier.Name;
    }

    /// <summary>An activity as the worker sees it; author one by deriving from <see cref="WorkflowActivity{TInput, TOutput}"/>.</summary>
    public interface IWorkflowActivity
    {
        Type InputType { get; }

        Type OutputType { get; }

        Task<object?> RunAsync(WorkflowActivityContext context, object? input);
    }
}

namespace Dapr.Workflow
{
    /// <summary>What an activity knows about the task it does.</summary>
    public abstract class WorkflowActivityContext
    {
        public abstract TaskIdentifier Identifier { get; }

        /// <summary>The same for every delivery of one task, and different for every attempt of a retry policy.</summary>
        public abstract string TaskExecutionKey { get; }

        public abstract string InstanceId { get; }
    }

    /// <summary>A unit of work with side effects. Delivered at least once: a second run of the same task must do no harm.</summary>
    public abstract class WorkflowActivity<TInput, TOutput> : IWorkflowActivity
    {
        Type IWorkflowActivity.InputType => typeof(TInput);

        Type IWorkflowActivity.OutputType => typeof(TOutput);

        public async Task<object?> RunAsync(WorkflowActivityContext context, object? input) =>
            await RunAsync(context, input is null ? default! : (TInput)input);

        public abstract Task<TOutput> RunAsync(WorkflowActivityContext context, TInput input);
    }
}
