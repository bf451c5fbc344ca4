using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.RegularExpressions;
using LeanPipe.Contracts;
using LeanPipe.Documents.Reading;
using LeanPipe.Documents.Yaml;

namespace LeanPipe.Documents;

/// <summary>A field's default as JSON. It must be a value that a record could bring.</summary>
static partial class DefaultReader
{
    public static string? Read(YamlNode node, FieldType type, bool isNullable, ErrorList errors)
    {
        if (node is TextNode { IsNull: true } && isNullable) return "null";
        var json = node switch
        {
            TextNode { IsNull: false } text => Json(text, type),
            ListNode { Items.Count: 0 } when type is ListType { MinItems: 0 } => "[]",
            _ => null,
        };
        if (json is null) errors.Add(node.At, $"'default' is {node.Shape}, which the field's own type refuses; expected {Expected(type, isNullable)}.");
        return json;
    }

    static string? Json(TextNode text, FieldType type)
    {
        var value = text.Text;
        return type switch
        {
            Int64Type t when !text.Quoted && long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var n) && n >= t.Min && n <= t.Max =>
                n.ToString(CultureInfo.InvariantCulture),
            Float64Type t when !text.Quoted && double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var n) && double.IsFinite(n) && n >= t.Min && n <= t.Max =>
                n.ToString("R", CultureInfo.InvariantCulture),
            DecimalType t when PlainNumber().IsMatch(value) && Fits(value, t) => Quote(value),
            BoolType when !text.Quoted && value is "true" or "false" => value,
            StringType t when Length(value) >= t.MinLength && Length(value) <= t.MaxLength && (t.Pattern is null || new Regex(t.Pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant).IsMatch(value)) => Quote(value),
            BytesType t when Base64.IsValid(value, out var length) && value.Length % 4 == 0 && length <= t.MaxLength => Quote(value),
            EnumType t when t.Values.Contains(value) => Quote(value),
            TimestampType { Unit: TimestampUnit.Text } => Quote(value),
            TimestampType when !text.Quoted && long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var n) => n.ToString(CultureInfo.InvariantCulture),
            UnionType t => t.Members.Select(m => Json(text, m)).FirstOrDefault(j => j is not null),
            _ => null,
        };
    }

    static string Expected(FieldType type, bool isNullable) => type switch
    {
        RecordType => "no default for a record",
        ListType => "[] alone, for a list without min_items",
        EnumType t => $"one of {string.Join(", ", t.Values)}",
        _ => "a value that a record could bring",
    } + (isNullable ? ", or null" : "");

    static bool Fits(string number, DecimalType type)
    {
        var parts = number.TrimStart('-').Split('.');
        return parts[0].TrimStart('0').Length <= type.Precision - type.Scale && (parts.Length == 1 || parts[1].TrimEnd('0').Length <= type.Scale);
    }

    static int Length(string text) => text.EnumerateRunes().Count();

    static string Quote(string text) => $"\"{JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(text)}\"";

    [GeneratedRegex("^-?(0|[1-9][0-9]*)(\\.[0-9]+)?$", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex PlainNumber();
}
