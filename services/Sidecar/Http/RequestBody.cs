namespace LeanPipe.Sidecar.Http;

/// <summary>Reads a request's body within the limit of a message.</summary>
static class RequestBody
{
    /// <summary>What the server reads of a body that is too large, so that its sender hears the answer instead of a broken connection.</summary>
    public const int ReadBeyondFactor = 2;

    /// <summary>Null when the body is larger than a message may be.</summary>
    public static async Task<byte[]?> TryReadAsync(HttpContext http, SidecarOptions options)
    {
        using var body = new MemoryStream();
        var buffer = new byte[16 * 1024];
        var total = 0L;
        try
        {
            while (await http.Request.Body.ReadAsync(buffer, http.RequestAborted) is > 0 and var read)
            {
                total += read;
                if (total <= options.MaxMessageBytes)
                    body.Write(buffer, 0, read);
            }
        }
        catch (BadHttpRequestException e) when (e.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            return null;
        }

        return total <= options.MaxMessageBytes ? body.ToArray() : null;
    }

    public static IResult TooLarge() => ApiErrors.Error(StatusCodes.Status400BadRequest, "ERR_BODY_READ", "failed to read request body: stream too large");
}
