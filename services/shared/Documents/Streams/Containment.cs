using LeanPipe.Contracts;

namespace LeanPipe.Documents;

/// <summary>Whether everything that one schema (the writer's) accepts is accepted by another (the reader's). Names every reason why not.</summary>
sealed class Containment(string reader, string writer, List<SchemaBreak> breaks)
{
    public void Records(RecordType read, RecordType written, string[] path)
    {
        foreach (var field in read.Fields)
        {
            string[] inner = [.. path, field.Name];
            if (written.Fields.FirstOrDefault(f => f.Name == field.Name) is { } other) Fields(field, other, inner);
            else if (field.Required) Add(inner, $"records of {writer} do not have it, and {reader} requires it; give it a default, or mark it optional");
        }
        foreach (var field in written.Fields.Where(f => !read.Fields.Any(r => r.Name == f.Name)))
        {
            string[] inner = [.. path, field.Name];
            if (read.Fields.FirstOrDefault(r => r.Aliases?.Contains(field.Name) == true) is { } renamed)
                Add(inner, $"it is called '{renamed.Name}' in {reader}, and segments of {writer} have no such column; keep the name, or add a field beside it");
            else if (read.Extra == ExtraFields.Reject) Add(inner, $"records of {writer} bring it, and {reader} has no such field and rejects unknown ones");
        }
        foreach (var (field, alias) in written.Fields.SelectMany(f => (f.Aliases ?? []).Select(a => (f, a))))
            if (read.Extra == ExtraFields.Reject && !read.Fields.Any(r => r.Name == alias || r.Aliases?.Contains(alias) == true))
                Add([.. path, field.Name], $"records of {writer} may bring it as '{alias}', which {reader} does not know");
        if (written.Extra != ExtraFields.Reject && read.Extra == ExtraFields.Reject) Add(path, $"records of {writer} may have unknown fields, which {reader} rejects");
    }

    void Fields(Field read, Field written, string[] path)
    {
        if (read.Required && !written.Required) Add(path, $"records of {writer} may leave it out, and {reader} requires it; give it a default, or mark it optional");
        if (written.Nullable && !read.Nullable) Add(path, $"records of {writer} may hold null, and {reader} takes none");
        if (Why(read.Type, written.Type, path) is { } why) Add(path, why);
    }

    /// <summary>Null when the reader's type takes every value of the writer's, in a column that can hold it. What lies deeper adds its own reasons.</summary>
    string? Why(FieldType read, FieldType written, string[] path)
    {
        switch (read, written)
        {
            case (Int64Type r, Int64Type w):
                return w.Min >= r.Min && w.Max <= r.Max ? null : Range(w.Min, w.Max, r.Min, r.Max);
            case (Float64Type r, Float64Type w):
                return w.Min >= r.Min && w.Max <= r.Max ? null : Range(w.Min, w.Max, r.Min, r.Max);
            case (Float64Type r, Int64Type w):
                return w.Min >= r.Min && w.Max <= r.Max ? null : Range(w.Min, w.Max, r.Min, r.Max);
            case (DecimalType r, DecimalType w):
                return r.Scale >= w.Scale && r.Precision - r.Scale >= w.Precision - w.Scale ? null : Differs(r, w);
            case (BoolType, BoolType):
                return null;
            case (StringType r, StringType w):
                if (w.MinLength < r.MinLength || w.MaxLength > r.MaxLength) return $"{writer} takes texts of {w.MinLength} to {w.MaxLength} characters, {reader} of {r.MinLength} to {r.MaxLength}";
                return r.Pattern is null || r.Pattern == w.Pattern ? null : $"{reader} wants texts that match '{r.Pattern}', {writer} does not";
            case (EnumType r, EnumType w):
                var missing = w.Values.Except(r.Values).ToList();
                return missing.Count == 0 ? null : $"{writer} takes {string.Join(", ", missing)}, {reader} does not";
            case (StringType { Pattern: null } r, EnumType w):
                return w.Values.All(v => v.Length >= r.MinLength && v.Length <= r.MaxLength) ? null : Differs(r, w);
            case (BytesType r, BytesType w):
                return w.MaxLength <= r.MaxLength ? null : $"{writer} takes {w.MaxLength} bytes, {reader} {r.MaxLength}";
            case (TimestampType r, TimestampType w):
                return r == w ? null : Differs(r, w);
            case (ListType r, ListType w):
                if (w.MinItems < r.MinItems || w.MaxItems > r.MaxItems) return $"{writer} takes {w.MinItems} to {w.MaxItems} items, {reader} {r.MinItems} to {r.MaxItems}";
                return Why(r.Item, w.Item, [.. path, "[]"]) is { } item ? $"an item of the list: {item}" : null;
            case (RecordType r, RecordType w):
                Records(r, w, path);
                return null;
            case (UnionType r, UnionType w):
                return w.Members.FirstOrDefault(m => !r.Members.Any(c => Takes(c, m))) is { } lost ? $"{writer} takes {TypeText.Of(lost)}, {reader} does not" : null;
            default:
                return Differs(read, written);
        }
    }

    bool Takes(FieldType read, FieldType written)
    {
        var reasons = new List<SchemaBreak>();
        return new Containment(reader, writer, reasons).Why(read, written, []) is null && reasons.Count == 0;
    }

    string Range<T>(T writtenMin, T writtenMax, T readMin, T readMax) => $"{writer} takes {writtenMin} to {writtenMax}, {reader} {readMin} to {readMax}";

    string Differs(FieldType read, FieldType written) => $"it is {TypeText.Of(written)} in {writer} and {TypeText.Of(read)} in {reader}";

    void Add(string[] path, string message) => breaks.Add(new(path, message + "."));
}
