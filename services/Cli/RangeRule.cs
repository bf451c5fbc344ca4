using System.CommandLine;
using System.Globalization;
using System.Numerics;

namespace LeanPipe.Cli;

/// <summary>Which numbers an option takes, with a sentence instead of a type's name for everything else that a person may write.</summary>
static class RangeRule
{
    /// <param name="takes">What the option takes, as the end of a sentence: <c>0 to 65535</c>.</param>
    public static void Between<T>(this Option<T> option, T least, T most, string takes) where T : struct, INumber<T> => Check(option, least, most, takes);

    public static void Between<T>(this Option<T?> option, T least, T most, string takes) where T : struct, INumber<T> => Check(option, least, most, takes);

    static void Check<T>(Option option, T least, T most, string takes) where T : struct, INumber<T> => option.Validators.Add(r =>
    {
        // The text itself: asking for a value that is none throws.
        if (r.Tokens is [var token] && !(T.TryParse(token.Value, NumberStyles.Number & ~NumberStyles.AllowThousands, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most))
            r.AddError($"{option.Name} takes {takes}.");
    });
}
