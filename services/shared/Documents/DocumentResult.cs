namespace LeanPipe.Documents;

/// <summary>One broken rule of a document, where it stands.</summary>
/// <param name="Line">Counted from 1.</param>
/// <param name="Column">Counted from 1.</param>
public sealed record DocumentError(string File, int Line, int Column, string Message)
{
    public override string ToString() => $"{File}:{Line}:{Column}: {Message}";
}

/// <summary>A document's value, or every rule that it breaks in the order of the lines; never both.</summary>
public sealed record DocumentResult<T>(T? Value, IReadOnlyList<DocumentError> Errors) where T : class
{
    /// <exception cref="Contracts.LeanPipeException"><c>documents.invalid</c>, with every error on a line of its own.</exception>
    public T Require() => Value ?? throw new Contracts.LeanPipeException("documents.invalid", string.Join('\n', Errors));
}
