using LeanPipe.DuckDb;

namespace LeanPipe.StepRunner;

internal static class SqlForm
{
    public static string List(IEnumerable<string> values) => $"[{string.Join(", ", values.Select(SqlText.Literal))}]";

    /// <summary>A name as a person would write it, for messages: quoted only when it must be.</summary>
    public static string Plain(string name) =>
        name.Length > 0 && !char.IsAsciiDigit(name[0]) && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '_') ? name : SqlText.Identifier(name);
}
