using LeanPipe.Documents.Yaml;

namespace LeanPipe.Documents.Reading;

/// <summary>The errors of one file, in whatever order the rules find them.</summary>
sealed class ErrorList(string file)
{
    readonly List<DocumentError> _errors = [];

    public string File { get; } = file;

    public int Count => _errors.Count;

    public void Add(Position at, string message) => _errors.Add(new(File, at.Line, at.Column, message));

    public void AddRange(IEnumerable<DocumentError> errors) => _errors.AddRange(errors);

    /// <summary>The value counts only when nothing is wrong.</summary>
    public DocumentResult<T> Result<T>(T? value) where T : class => _errors.Count == 0
        ? new(value, [])
        : new(null, [.. _errors.OrderBy(e => e.File, StringComparer.Ordinal).ThenBy(e => e.Line).ThenBy(e => e.Column)]);
}
