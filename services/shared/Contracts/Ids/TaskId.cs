using System.Text.Json.Serialization;

namespace LeanPipe.Contracts;

/// <summary>One container's share of a step, counted from 0 within the step and written with five digits so that keys sort.</summary>
[JsonConverter(typeof(IdConverter<TaskId>))]
public readonly record struct TaskId(int Index) : IId<TaskId>
{
    public string Value => Index.ToString("D5", null);

    public static TaskId Parse(string text) => text.Length == 5 && int.TryParse(text, out var index) && index >= 0
        ? new(index)
        : throw new LeanPipeException("contracts.bad_task_id", $"'{text}' is no task id: expected five digits.");

    public override string ToString() => Value;
}
