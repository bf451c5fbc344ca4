using System.Diagnostics.CodeAnalysis;

namespace LeanPipe.Contracts;

/// <summary>The rule that every name a person chooses follows: it becomes part of object keys, container names and SQL identifiers.</summary>
public static class Name
{
    public const int MaxLength = 63;

    public const string Rule = "1 to 63 characters: lower-case letters, digits, '_' and '-', beginning with a letter";

    public static bool IsValid([NotNullWhen(true)] string? text)
    {
        if (text is null || text.Length is 0 or > MaxLength || !char.IsAsciiLetterLower(text[0])) return false;
        foreach (var c in text)
            if (!char.IsAsciiLetterLower(c) && !char.IsAsciiDigit(c) && c is not ('_' or '-')) return false;
        return true;
    }

    internal static string Require(string text, string what) => IsValid(text)
        ? text
        : throw new LeanPipeException("contracts.bad_name", $"'{text}' is no {what} name: expected {Rule}.");
}
