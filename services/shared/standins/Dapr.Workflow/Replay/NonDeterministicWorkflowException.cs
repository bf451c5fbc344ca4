namespace Dapr.Workflow.Replay;

/// <summary>The code does not do what the history says it did, or waits for something that no history can bring.</summary>
sealed class NonDeterministicWorkflowException(string message) : Exception(message);
