using LeanPipe.Documents.Reading;

namespace LeanPipe.Documents;

/// <summary>SQL stands in files of its own beside the document.</summary>
static class SqlFile
{
    /// <returns>Its text; empty when something is wrong, which is told.</returns>
    public static string Read(MapReader map, string key, string folder, ErrorList errors)
    {
        if (map.Text(key, required: true) is not { } file) return "";
        if (!file.Text.EndsWith(".sql", StringComparison.Ordinal)) errors.Add(file.At, $"'{key}' is '{file.Text}'; expected a file beside this document that ends in .sql.");
        else if (Files.Beside(folder, file.Text) is not { } path) errors.Add(file.At, $"'{key}' is '{file.Text}'; expected a file in the document's own folder.");
        else if (Files.Read(path, out var sql) is { } missing) errors.Add(file.At, $"The SQL file '{file.Text}' is named here. {missing.Message}");
        else if (string.IsNullOrWhiteSpace(sql)) errors.Add(file.At, $"The SQL file '{file.Text}' is empty; expected one SELECT.");
        else return sql;
        return "";
    }
}
