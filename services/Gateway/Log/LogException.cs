using LeanPipe.Contracts;

namespace LeanPipe.Gateway.Log;

/// <summary>The write-ahead log cannot be trusted or written. Codes begin with <c>gateway.log_</c>.</summary>
sealed class LogException(string code, string message, Exception? inner = null) : LeanPipeException(code, message, isTransient: false, inner);
