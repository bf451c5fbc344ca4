using LeanPipe.Contracts;
using LeanPipe.Documents.Reading;
using LeanPipe.Documents.Yaml;

namespace LeanPipe.Documents;

/// <summary>How a step's work is shared out.</summary>
static class FanOutReader
{
    static readonly string[] Kinds = ["bytes", "rows", "files", "window", "hash"];

    public static FanOutDefinition Read(YamlNode? node, OrderedDictionary<string, InputDefinition> inputs, MapReader step, string folder, ErrorList errors)
    {
        var fanIn = new FanInDefinition();
        if (node is null or TextNode { Text: "none" }) return fanIn;
        var byWindow = node is TextNode { Text: "window" };
        if (!byWindow && node is not MapNode)
        {
            errors.Add(node.At, $"'fan_out' is {node.Shape}; expected none, window, or a map such as {{ bytes: 256MB }}.");
            return fanIn;
        }
        var map = node is MapNode found ? new MapReader(found, "fan_out", errors) : null;
        var bytes = map?.Size("bytes", 1, long.MaxValue);
        var rows = map?.Integer("rows", 1, long.MaxValue);
        var files = map?.Integer("files", 1, int.MaxValue);
        var window = byWindow || map?.Flag("window") is true;
        var of = map?.Text("of");
        var hash = map?.Take("hash");
        var buckets = map?.Integer("buckets", 1, 4096);
        var merge = map?.Has("merge") is true ? SqlFile.Read(map, "merge", folder, errors) : null;
        var splitAbove = map?.Size("split_above", 1, long.MaxValue);
        map?.Finish();
        var kinds = Kinds.Count(k => map?.Has(k) is true) + (byWindow ? 1 : 0);
        if (kinds != 1)
        {
            errors.Add(node.At, "'fan_out' needs one of 'bytes', 'rows', 'files', 'window' and 'hash' (with 'buckets').");
            return fanIn;
        }
        if (of is not null && hash is not null) errors.Add(node.At, "'of' goes with 'bytes', 'rows', 'files' and 'window'; 'hash' names its inputs itself.");
        if (map?.Has("buckets") is true && hash is null) errors.Add(node.At, "'buckets' goes with 'hash'; remove it or fan out by hash.");
        if ((map?.Has("merge") is true && hash is null) || (map?.Has("split_above") is true && !map.Has("merge"))) errors.Add(node.At, "'merge' goes with 'hash', and 'split_above' with 'merge'; remove them.");
        if (hash is not null)
        {
            if (!map!.Has("buckets")) errors.Add(node.At, "'fan_out: hash' needs 'buckets', the number of tasks.");
            return Hash(hash, (int)(buckets ?? 1), inputs, errors) is { } shuffle
                ? shuffle with { Merge = merge, SplitAbove = splitAbove ?? HashFanOut.DefaultSplitAbove }
                : fanIn;
        }
        CheckDriving(of, window, inputs, node, errors);
        return (bytes, rows, files, window) switch
        {
            ({ } perTask, _, _, _) => new BytesFanOut(perTask, of?.Text),
            (_, { } perTask, _, _) => new RowsFanOut(perTask, of?.Text),
            (_, _, { } perTask, _) => new FilesFanOut((int)perTask, of?.Text),
            (_, _, _, true) => new WindowFanOut(of?.Text),
            _ => fanIn,
        };
    }

    static void CheckDriving(TextNode? of, bool window, OrderedDictionary<string, InputDefinition> inputs, YamlNode node, ErrorList errors)
    {
        var splittable = inputs.Where(i => window ? i.Value is StreamInput : i.Value is StreamInput or StepInput).Select(i => i.Key).ToList();
        if (of is not null && !inputs.ContainsKey(of.Text)) errors.Add(of.At, $"'of' names the input '{of.Text}', which this step has not; {Suggestion.For(of.Text, inputs.Keys)}");
        else if (window && !splittable.Contains(of?.Text ?? splittable.FirstOrDefault() ?? "")) errors.Add(node.At, "'fan_out: window' splits a stream, and this step reads none there; read one, or fan out by bytes.");
        if (of is null && (splittable.Count > 1 || (splittable.Count == 0 && inputs.Count > 1)))
            errors.Add(node.At, $"This fan-out splits one input, and this step has several; name it by 'of': {string.Join(", ", splittable.Count > 0 ? splittable : inputs.Keys)}.");
    }

    /// <summary><c>t.sensor_id</c>, or a list of such: columns of one input are hashed together, several inputs are read by the same buckets.</summary>
    static HashFanOut? Hash(YamlNode node, int buckets, OrderedDictionary<string, InputDefinition> inputs, ErrorList errors)
    {
        var before = errors.Count;
        var texts = node is ListNode { Items.Count: > 0 } list ? list.Items : [node];
        var sides = new OrderedDictionary<string, List<string>>();
        foreach (var item in texts)
        {
            if (item is not TextNode { IsNull: false } text)
            {
                errors.Add(item.At, $"'hash' is {item.Shape}; expected an input and its column such as t.sensor_id, or a list of these.");
                continue;
            }
            if (Side(text, inputs, errors) is not var (input, column)) continue;
            if (!sides.TryGetValue(input, out var columns)) sides[input] = columns = [];
            columns.Add(column);
        }
        if (sides.Values.Select(c => c.Count).Distinct().Count() > 1) errors.Add(node.At, "'hash' names more columns of one input than of another; rows meet by as many columns on every side.");
        if (errors.Count > before || sides.Count == 0) return null;
        var all = sides.Select(s => new HashSide(s.Key, s.Value)).ToList();
        return new(
            all[0].Input, all[0].Columns[0], buckets, all[0].Columns.Count > 1 ? [.. all[0].Columns.Skip(1)] : null, all.Count > 1 ? [.. all.Skip(1)] : null);
    }

    static (string Input, string Column)? Side(TextNode text, OrderedDictionary<string, InputDefinition> inputs, ErrorList errors)
    {
        var dot = text.Text.IndexOf('.', StringComparison.Ordinal);
        if (dot <= 0 || dot == text.Text.Length - 1)
        {
            errors.Add(text.At, $"'hash' is '{text.Text}'; expected an input and its column such as t.sensor_id.");
            return null;
        }
        var (input, column) = (text.Text[..dot], text.Text[(dot + 1)..]);
        if (!inputs.TryGetValue(input, out var definition))
            errors.Add(text.At, $"'hash' names the input '{input}', which this step has not; {Suggestion.For(input, inputs.Where(i => i.Value is StepInput).Select(i => i.Key))}");
        else if (definition is not StepInput)
            errors.Add(text.At, $"'hash' names the input '{input}', which is no step; only a step of this pipeline writes its rows in buckets.");
        else return (input, column);
        return null;
    }
}
