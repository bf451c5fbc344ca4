namespace Dapr.Workflow;

/// <summary>A workflow as the worker sees it; author one by deriving from <see cref="Workflow{TInput, TOutput}"/>.</summary>
public interface IWorkflow
{
    Type InputType { get; }

    Type OutputType { get; }

    Task<object?> RunAsync(WorkflowContext context, object? input);
}

/// <summary>A workflow: deterministic code that awaits nothing but tasks its context made.</summary>
public abstract class Workflow<TInput, TOutput> : IWorkflow
{
    Type IWorkflow.InputType => typeof(TInput);

    Type IWorkflow.OutputType => typeof(TOutput);

    async Task<object?> IWorkflow.RunAsync(WorkflowContext context, object? input) =>
        await RunAsync(context, input is null ? default! : (TInput)input);

    /// <summary>Runs from the beginning on every turn; the context answers from history what has happened already.</summary>
    public abstract Task<TOutput> RunAsync(WorkflowContext context, TInput input);
}
