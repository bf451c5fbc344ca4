using LeanPipe.Contracts;

namespace LeanPipe.StepRunner;

/// <summary>What an exception means for the outcome. Codes are listed in <c>docs/specs/task.md</c>.</summary>
internal static class TaskErrors
{
    public static TaskError From(StepName step, Exception failure) => failure switch
    {
        LeanPipeException { Code: "duckdb.io" } e => new(
            e.Code, $"Step '{step}': {e.Message}. Check the disk that holds the file; when it is the task's scratch, free space there, or name another place (--scratch, TMPDIR).", e.IsTransient),
        LeanPipeException e => new(Code(e.Code), $"Step '{step}': {e.Message}", e.IsTransient),
        // The disk of this machine; another attempt may land on another.
        IOException or UnauthorizedAccessException => new("task.io", $"Step '{step}': {failure.Message.TrimEnd('.')}. This is the task's scratch: free space there, or name another place (--scratch, TMPDIR).", Transient: true),
        _ => new("task.internal", $"Step '{step}': {failure.GetType().Name}: {failure.Message} This is a bug of the step runner.", Transient: false),
    };

    static string Code(string code) => code switch
    {
        "duckdb.sql" or "duckdb.value" => "sql.error",
        "duckdb.not_one_select" => "sql.not_one_select",
        "duckdb.permission" => "sql.not_allowed",
        _ => code,
    };
}
