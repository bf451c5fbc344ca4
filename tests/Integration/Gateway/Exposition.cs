using System.Globalization;
using System.Text.RegularExpressions;

namespace LeanPipe.Integration.Gateway;

/// <summary>Prometheus' text format, read line by line by its grammar; anything else fails the test.</summary>
sealed partial class Exposition
{
    readonly Dictionary<string, string> _types = [];
    readonly Dictionary<string, double> _samples = [];

    /// <summary>Samples by name and labels, <c>name{a="b"}</c>.</summary>
    public IReadOnlyDictionary<string, double> Samples => _samples;

    public double this[string sample] => _samples.TryGetValue(sample, out var value) ? value : throw new KeyNotFoundException($"no sample {sample} among:\n{string.Join('\n', _samples.Keys)}");

    public string TypeOf(string family) => _types[family];

    public static Exposition Parse(string text)
    {
        text.ShouldEndWith("\n");
        var found = new Exposition();
        var family = "";
        foreach (var line in text[..^1].Split('\n'))
        {
            if (HelpLine().Match(line) is { Success: true } help)
            {
                family = help.Groups[1].Value;
                continue;
            }
            if (TypeLine().Match(line) is { Success: true } type)
            {
                family = type.Groups[1].Value;
                found._types.TryAdd(family, type.Groups[2].Value).ShouldBeTrue($"the type of {family} is given twice");
                continue;
            }
            var sample = SampleLine().Match(line);
            sample.Success.ShouldBeTrue($"no line of the format: {line}");
            var name = sample.Groups["name"].Value;
            var isHistogram = found._types[family] == "histogram";
            if (isHistogram) name.ShouldBeOneOf(family + "_bucket", family + "_sum", family + "_count");
            else name.ShouldBe(family, "samples stand below their type");
            if (found._types[family] == "counter") name.ShouldEndWith("_total");
            var value = sample.Groups["value"].Value switch { "+Inf" => double.PositiveInfinity, "-Inf" => double.NegativeInfinity, var number => double.Parse(number, CultureInfo.InvariantCulture) };
            found._samples.TryAdd(name + sample.Groups["labels"].Value, value).ShouldBeTrue($"twice: {line}");
        }
        return found;
    }

    /// <summary>Buckets count upwards, and the last is the count.</summary>
    public void HistogramShouldHold(string family)
    {
        TypeOf(family).ShouldBe("histogram");
        var buckets = _samples.Where(s => s.Key.StartsWith(family + "_bucket", StringComparison.Ordinal)).Select(s => s.Value).ToList();
        buckets.ShouldBe(buckets.Order());
        buckets[^1].ShouldBe(this[family + "_count"]);
    }

    [GeneratedRegex("""^# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) ([^\\\n]|\\\\|\\n)*$""")]
    private static partial Regex HelpLine();

    [GeneratedRegex("^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram|summary|untyped)$")]
    private static partial Regex TypeLine();

    [GeneratedRegex("""^(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?<labels>\{[a-zA-Z_][a-zA-Z0-9_]*="([^"\\\n]|\\\\|\\"|\\n)*"(,[a-zA-Z_][a-zA-Z0-9_]*="([^"\\\n]|\\\\|\\"|\\n)*")*\})? (?<value>[+-]Inf|NaN|[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?)( -?[0-9]+)?$""")]
    private static partial Regex SampleLine();
}
