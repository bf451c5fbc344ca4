using LeanPipe.Contracts;

namespace LeanPipe.Lake;

/// <summary>The store failed or holds something it must not hold. Codes begin with <c>lake.</c></summary>
public sealed class LakeException(string code, string message, bool isTransient = false, Exception? inner = null)
    : LeanPipeException(code, message, isTransient, inner);
