using System.CommandLine;
using System.Globalization;
using LeanPipe.Contracts;
using LeanPipe.Documents;

namespace LeanPipe.Cli.Commands;

/// <summary>`leanpipe schema export STREAM`</summary>
static class SchemaCommand
{
    public static LeanCommand Create(GlobalOptions globals) =>
        new("schema", "What a stream accepts, for whoever writes a sender.", "leanpipe schema export telemetry > telemetry.schema.json") { Export(globals) };

    static LeanCommand Export(GlobalOptions globals)
    {
        var stream = new Argument<string>("STREAM") { Description = "A stream of this folder's config, or a stream document" };
        var version = new Option<string?>("--schema") { Description = "A version of the stream's document instead of the newest", HelpName = "vN" };
        var command = new LeanCommand(
            "export", "Print the records that a stream accepts as JSON Schema (draft 2020-12).",
            "leanpipe schema export telemetry > telemetry.schema.json", "leanpipe schema export telemetry --schema v1") { stream, version };
        return command.Does(globals, async (call, _) =>
        {
            await call.Out.WriteAsync(JsonSchema.Write(Find(call, call.Get(stream)!, call.Get(version))));
            return ExitCode.Done;
        });
    }

    /// <param name="name">Of a stream of this folder's config, or a file.</param>
    internal static StreamDefinition Find(Invocation call, string name, string? version)
    {
        if (File.Exists(name)) return StreamDocument.Load(name).Require();
        var streams = ConfigFolder.LoadStreams(call.Home.Config).Require();
        var stream = streams.FirstOrDefault(s => s.Current.Name.Value == name) ?? throw new UsageException(
            $"There is no stream '{name}' in {call.Home.Config}; its streams: {(streams.Count == 0 ? "none" : string.Join(", ", streams.Select(s => s.Current.Name)))}.");
        if (version is null) return stream.Current;
        return stream.Versions.FirstOrDefault(v => v.Version?.ToString(CultureInfo.InvariantCulture) == version.TrimStart('v')) ?? throw new UsageException(
            $"The stream '{name}' has no version '{version}'; it has {(stream.Current.Version is null ? "one document without a version" : string.Join(", ", stream.Versions.Select(v => $"v{v.Version}")))}.");
    }
}
