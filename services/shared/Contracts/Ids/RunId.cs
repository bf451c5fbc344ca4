using System.Text.Json.Serialization;

namespace LeanPipe.Contracts;

/// <summary>A run, which is also the Dapr workflow instance's id: 1 to 64 of letters, digits, '_' and '-' (the limit of Dapr's HTTP API).</summary>
[JsonConverter(typeof(IdConverter<RunId>))]
public readonly record struct RunId(string Value) : IId<RunId>
{
    public string Value { get; } = IsValid(Value)
        ? Value
        : throw new LeanPipeException("contracts.bad_run_id", $"'{Value}' is no run id: expected 1 to 64 letters, digits, '_' or '-'.");

    public static bool IsValid(string? text) => text is { Length: >= 1 and <= 64 } && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-');

    public static RunId Parse(string text) => new(text);

    /// <summary>One id for one pipeline over one revision of one window, so that a repeated trigger is the same run.</summary>
    /// <remarks>A pipeline name too long for the limit is cut and told apart by the first 8 hex digits of its SHA-256.</remarks>
    public static RunId For(PipelineName pipeline, WindowId window, int revision)
    {
        var tail = $"-{window.Value}-r{revision}";
        var head = pipeline.Value;
        if (head.Length + tail.Length > 64)
        {
            head = Cut(head, 64 - tail.Length);
        }
        return new(head + tail);
    }

    /// <summary>The id with something behind it. Where that would be too long it is cut before, and told apart as in <see cref="For"/>: the window stands where it is cut.</summary>
    public RunId WithTail(string tail) => new((Value.Length + tail.Length <= 64 ? Value : Cut(Value, 64 - tail.Length)) + tail);

    public override string ToString() => Value;

    static string Cut(string text, int length)
    {
        var hash = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(text)))[..8];
        return $"{text[..(length - 9)]}-{hash}";
    }
}
