using Google.Protobuf;
using LeanPipe.DaprWire;

namespace LeanPipe.Sidecar.TaskHub;

/// <summary>
/// A worker's answer that no message can carry. The official sidecar only refuses it, and the worker would do the same work again for ever;
/// here its workflow hears why. Whose answer it is stands at its beginning: every writer of protobuf writes fields in the order of their numbers.
/// </summary>
static class OversizedAnswer
{
    public const string ErrorType = "AnswerTooLarge";

    const uint InstanceIdTag = (1 << 3) | (uint)WireFormat.WireType.LengthDelimited;
    const uint TaskIdTag = (2 << 3) | (uint)WireFormat.WireType.Varint;

    /// <summary>The failure in place of the result; null when the beginning does not say whose answer it is.</summary>
    public static ActivityResponse? ReadActivity(byte[] beginning, long bytes, int limitBytes)
    {
        var input = new CodedInputStream(beginning);
        if (InstanceId(input) is not { } instanceId)
            return null;
        try
        {
            // Absent = the task of number 0.
            var taskId = input.ReadTag() == TaskIdTag ? input.ReadInt32() : 0;
            return new ActivityResponse { InstanceId = instanceId, TaskId = taskId, FailureDetails = Failure("activity", bytes, limitBytes) };
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }

    /// <inheritdoc cref="ReadActivity"/>
    public static WorkflowResponse? ReadTurn(byte[] beginning, long bytes, int limitBytes) => InstanceId(new CodedInputStream(beginning)) is { } instanceId
        ? new WorkflowResponse
        {
            InstanceId = instanceId,
            Actions =
            {
                new WorkflowAction
                {
                    CompleteWorkflow = new CompleteWorkflowAction
                    {
                        WorkflowStatus = OrchestrationStatus.Failed,
                        FailureDetails = Failure("workflow's turn", bytes, limitBytes),
                    },
                },
            },
        }
        : null;

    static string? InstanceId(CodedInputStream input)
    {
        try
        {
            return input.ReadTag() == InstanceIdTag ? input.ReadString() : null;
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }

    static TaskFailureDetails Failure(string what, long bytes, int limitBytes) => new()
    {
        ErrorType = ErrorType,
        ErrorMessage = $"The answer of the {what} has {bytes} bytes; messages end at {limitBytes}. Return a reference to the data instead of the data.",
        IsNonRetriable = true,
    };
}
