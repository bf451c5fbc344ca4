using System.Text.Json;
using System.Text.Json.Serialization;

namespace LeanPipe.Contracts;

/// <summary>What an orchestrator and a step runner that is kept running (<c>steprunner serve</c>) say to each other over TCP: a connection per attempt, a line of JSON per message.</summary>
public static class WarmWire
{
    /// <summary>A request that is longer is none.</summary>
    public const int MaxRequestBytes = 8 * 1024;

    /// <summary>The step runner says something at least this often while the attempt runs.</summary>
    public static readonly TimeSpan AliveEvery = TimeSpan.FromSeconds(5);

    /// <summary>Both sides must be of one release: during an upgrade they may not be.</summary>
    public static string Release { get; } = typeof(WarmWire).Assembly.GetName().Version!.ToString(3);

    /// <returns>With the line's end.</returns>
    public static byte[] Line(WarmRequest request) => [.. JsonSerializer.SerializeToUtf8Bytes(request, WarmJson.Default.WarmRequest), (byte)'\n'];

    /// <returns>With the line's end.</returns>
    public static byte[] Line(WarmReply reply) => [.. JsonSerializer.SerializeToUtf8Bytes(reply, WarmJson.Default.WarmReply), (byte)'\n'];

    /// <returns>Null when it is none.</returns>
    public static WarmRequest? Request(ReadOnlySpan<byte> line) => Read(line, WarmJson.Default.WarmRequest);

    /// <returns>Null when it is none.</returns>
    public static WarmReply? Reply(ReadOnlySpan<byte> line) => Read(line, WarmJson.Default.WarmReply);

    static T? Read<T>(ReadOnlySpan<byte> line, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(line, type);
        }
        catch (JsonException)
        {
            // Whoever connects may send anything; the caller says that it is refused.
            return null;
        }
    }
}

/// <summary>The one line that the orchestrator sends. It then only listens; hanging up ends the attempt.</summary>
/// <param name="Release"><see cref="WarmWire.Release"/>.</param>
/// <param name="Token">The release's secret.</param>
/// <param name="Lake">The lake's root: both must mean the same one.</param>
/// <param name="Task">As the step runner takes it: the key of a sheet, # and the number there.</param>
/// <param name="Timeout">The task's own limit; its process is killed some time after it.</param>
public sealed record WarmRequest(string Release, string Token, Uri Lake, string Task, int Attempt, TimeSpan Timeout);

/// <param name="Text">Of <see cref="WarmState.Output"/> the line; of <see cref="WarmState.Refused"/> the reason; of <see cref="WarmState.Ended"/> the last of its error output.</param>
/// <param name="ExitCode">Of <see cref="WarmState.Ended"/>: as docs/specs/task.md lists them; 128 + n for a process ended by signal n.</param>
/// <param name="TimedOut">Of <see cref="WarmState.Ended"/>: it was killed, for it did not end itself at its timeout.</param>
public sealed record WarmReply(WarmState State, string? Text = null, int? ExitCode = null, bool? TimedOut = null);

public enum WarmState
{
    /// <summary>The attempt begins here, and nowhere else.</summary>
    Taken,

    /// <summary>Another attempt runs here; this one has not begun.</summary>
    Busy,

    /// <summary>Another token, lake or release; this one has not begun.</summary>
    Refused,

    /// <summary>It still runs.</summary>
    Alive,

    /// <summary>A line of its standard output.</summary>
    Output,

    /// <summary>The last message: its process is gone, and its scratch.</summary>
    Ended,
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, Converters = [typeof(SnakeCaseEnum<WarmState>)],
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(WarmRequest))]
[JsonSerializable(typeof(WarmReply))]
sealed partial class WarmJson : JsonSerializerContext;
