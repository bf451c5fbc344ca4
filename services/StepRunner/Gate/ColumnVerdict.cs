namespace LeanPipe.StepRunner;

/// <summary>What the schema gate does with a type.</summary>
/// <param name="Target">The type as it is written, or, when it is refused, the type that the SQL should cast to.</param>
/// <param name="Refusal">Why a person must decide: the cast can lose something. Null when the cast, if any, is lossless.</param>
internal readonly record struct ColumnVerdict(string Target, string? Refusal = null);
