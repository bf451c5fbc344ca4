using LeanPipe.Contracts;

namespace LeanPipe.StepRunner;

/// <summary>The task cannot succeed as it is; the outcome carries code and message.</summary>
internal sealed class TaskException(string code, string message, bool isTransient = false, Exception? inner = null) : LeanPipeException(code, message, isTransient, inner);
