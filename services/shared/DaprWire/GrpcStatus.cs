using System.Buffers;
using System.Text;

namespace LeanPipe.DaprWire;

/// <summary>The status codes of gRPC, by their numbers in the <c>grpc-status</c> trailer.</summary>
public enum GrpcStatusCode
{
    Ok = 0,
    Cancelled = 1,
    Unknown = 2,
    InvalidArgument = 3,
    DeadlineExceeded = 4,
    NotFound = 5,
    AlreadyExists = 6,
    PermissionDenied = 7,
    ResourceExhausted = 8,
    FailedPrecondition = 9,
    Aborted = 10,
    OutOfRange = 11,
    Unimplemented = 12,
    Internal = 13,
    Unavailable = 14,
    DataLoss = 15,
    Unauthenticated = 16,
}

/// <summary>Names of headers and trailers, and the percent-encoding of <c>grpc-message</c>.</summary>
public static class GrpcHeaders
{
    public const string ContentType = "application/grpc";
    public const string Status = "grpc-status";
    public const string Message = "grpc-message";
    public const string AcceptEncoding = "grpc-accept-encoding";
    public const string ApiToken = "dapr-api-token";

    // The gRPC HTTP/2 protocol leaves space to '~' as they are, the percent sign excepted.
    static readonly SearchValues<byte> Plain = SearchValues.Create(
        [.. Enumerable.Range(0x20, 0x7F - 0x20).Where(b => b != '%').Select(b => (byte)b)]);

    /// <summary>UTF-8 with every byte outside the printable ASCII range, and '%', as %XX.</summary>
    public static string EncodeMessage(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var utf8 = Encoding.UTF8.GetBytes(text);
        if (!utf8.AsSpan().ContainsAnyExcept(Plain))
            return text;

        var encoded = new StringBuilder(utf8.Length + 16);
        foreach (var b in utf8)
        {
            if (Plain.Contains(b))
                encoded.Append((char)b);
            else
                encoded.Append('%').Append(b.ToString("X2"));
        }

        return encoded.ToString();
    }

    /// <summary>The text behind an encoded message; a broken escape stays as it stands, as the protocol asks.</summary>
    public static string DecodeMessage(string encoded)
    {
        ArgumentNullException.ThrowIfNull(encoded);
        if (!encoded.Contains('%', StringComparison.Ordinal))
            return encoded;

        var bytes = new List<byte>(encoded.Length);
        for (var i = 0; i < encoded.Length; i++)
        {
            if (encoded[i] == '%' && i + 2 < encoded.Length
                && char.IsAsciiHexDigit(encoded[i + 1]) && char.IsAsciiHexDigit(encoded[i + 2]))
            {
                bytes.Add(Convert.ToByte(encoded.Substring(i + 1, 2), 16));
                i += 2;
            }
            else
            {
                bytes.AddRange(Encoding.UTF8.GetBytes(encoded, i, 1));
            }
        }

        return Encoding.UTF8.GetString([.. bytes]);
    }
}
