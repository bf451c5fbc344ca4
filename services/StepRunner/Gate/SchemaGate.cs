using System.Buffers;
using LeanPipe.Contracts;
using LeanPipe.DuckDb;

namespace LeanPipe.StepRunner;

/// <summary>Every output column passes here before a row is computed, so that what cannot be stored faithfully costs a second and not an hour.</summary>
internal static class SchemaGate
{
    /// <summary>Delta refuses these in a column's name, and Parquet readers take dots and spaces for paths and ends.</summary>
    static readonly SearchValues<char> NotInNames = SearchValues.Create(" ,;{}()=\t\n\"'.");

    /// <summary>The columns as they are written; where the type differs from what the SQL yields, the value is cast.</summary>
    /// <exception cref="TaskException"><c>schema.refused</c>, naming every column at fault and the text that repairs it.</exception>
    public static IReadOnlyList<OutputColumn> Pass(IReadOnlyList<OutputColumn> found)
    {
        var faults = new List<string>();
        var passed = new List<OutputColumn>(found.Count);
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var column in found)
        {
            if (column.Name.Length == 0 || column.Name.AsSpan().ContainsAny(NotInNames))
                faults.Add($"{column.Name} has no plain name: write … AS {Suggested(column.Name)}");
            else if (!names.Add(column.Name))
                faults.Add($"{column.Name} stands there twice (case does not count): give one of them another name");
            if (TypeGate.FieldNames(column.Type).FirstOrDefault(n => n.Length == 0 || n.AsSpan().ContainsAny(NotInNames)) is { } field)
                faults.Add($"{column.Name} has a field {field}, which has no plain name: write struct_pack({Suggested(field)} := {SqlForm.Plain(column.Name)}.{SqlText.Identifier(field)}, …)");
            var verdict = TypeGate.Judge(column.Type);
            if (verdict.Refusal is not null)
                faults.Add($"{column.Name} is {column.Type}, {verdict.Refusal}: write {Repair(column, verdict.Target)}");
            passed.Add(new(column.Name, verdict.Target));
        }
        if (found.Count == 0) faults.Add("there is no column");
        return faults.Count == 0
            ? passed
            : throw new TaskException(
                "schema.refused", $"The output cannot be stored as it is. {string.Join(". ", faults)}. Change the SQL; nothing was computed.");
    }

    static string Repair(OutputColumn column, string target)
    {
        var name = SqlForm.Plain(column.Name);
        return column.Type switch
        {
            "TIMESTAMP" => $"{name} AT TIME ZONE 'UTC'",
            "TIMESTAMP_S" or "TIMESTAMP_MS" or "TIMESTAMP_NS" => $"CAST({name} AS TIMESTAMP) AT TIME ZONE 'UTC'",
            "INTERVAL" => $"epoch({name})",
            _ => $"CAST({name} AS {target})",
        };
    }

    static string Suggested(string name)
    {
        var letters = name.Where(c => char.IsAsciiLetterOrDigit(c) || c == '_').ToArray();
        return letters.Length == 0 || char.IsAsciiDigit(letters[0]) ? "value" : new string(letters).ToLowerInvariant();
    }
}
