using System.Security.Cryptography;
using System.Text;
using LeanPipe.DaprWire;
using LeanPipe.Sidecar.Workflows;

namespace LeanPipe.Sidecar;

/// <summary>The shared secret between the app and its sidecar.</summary>
static class ApiToken
{
    public static bool Matches(HttpContext http, string? token) =>
        string.IsNullOrEmpty(token)
        || CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(http.Request.Headers[GrpcHeaders.ApiToken].ToString()), Encoding.UTF8.GetBytes(token));

    public static Fault? Fault(HttpContext http, string? token)
    {
        if (Matches(http, token))
            return null;
        return new Fault(GrpcStatusCode.Unauthenticated, http.Request.Headers.ContainsKey(GrpcHeaders.ApiToken)
            ? "authentication error: api token mismatch"
            : "missing api token in request metadata");
    }
}
