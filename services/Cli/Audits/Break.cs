namespace LeanPipe.Cli.Audits;

/// <summary>A place where a sum does not hold.</summary>
/// <param name="Place">In the words of the glossary, from a connection to a table.</param>
/// <param name="Claim">What should be equal, with what is expected first.</param>
/// <param name="Found">Null when what was to be counted is not there.</param>
/// <param name="Key">The object of the lake that is wrong, or that says what is.</param>
sealed record Break(string Place, string Claim, long Expected, long? Found, string Key)
{
    public override string ToString() => $"{Place}: {Claim}: expected {Expected:N0}, found {(Found is { } found ? $"{found:N0}" : "nothing")} ({Key})";

    /// <summary>None when the two are equal.</summary>
    public static IEnumerable<Break> Unless(string place, string claim, long expected, long found, string key)
    {
        if (expected != found) yield return new(place, claim, expected, found, key);
    }
}
