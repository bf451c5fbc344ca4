namespace Dapr;

public class CloudEventsMiddlewareOptions
{
    /// <summary>True leaves a text payload as the JSON string it is in the envelope, quotes and escapes included.</summary>
    public bool SuppressJsonDecodingOfTextPayloads { get; set; }
}
