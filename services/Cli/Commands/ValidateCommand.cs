using System.CommandLine;
using System.Text.Json;
using LeanPipe.Cli.Output;
using LeanPipe.Documents;

namespace LeanPipe.Cli.Commands;

/// <summary>`leanpipe validate FILE…`</summary>
static class ValidateCommand
{
    public static LeanCommand Create(GlobalOptions globals)
    {
        var files = new Argument<string[]>("FILE") { Description = "Stream or pipeline documents, or a folder with streams/ and pipelines/ in it", Arity = ArgumentArity.OneOrMore };
        var format = GlobalOptions.Format();
        var command = new LeanCommand(
            "validate", "Check documents: every error, with line and column. Exit code 1 when there is one.",
            "leanpipe validate .leanpipe/config", "leanpipe validate telemetry.yaml pipelines/telemetry-hourly/pipeline.yaml") { files, format };
        return command.Does(globals, async (call, _) =>
        {
            var errors = new List<DocumentError>();
            foreach (var file in call.Get(files)!)
            {
                if (file.Length == 0) throw new UsageException("FILE is empty: expected a document, or a folder with streams/ and pipelines/ in it.");
                var (what, found) = Directory.Exists(file) ? Folder(file) : File(file);
                errors.AddRange(found);
                if (!call.WantsJson(format) && found.Count == 0) await call.Out.WriteLineAsync($"{file}: {what}");
            }
            if (call.WantsJson(format)) await call.Out.WriteLineAsync(JsonSerializer.Serialize(errors, CliJson.Readable.IReadOnlyListDocumentError));
            else foreach (var error in errors) await call.Error.WriteLineAsync(error.ToString());
            if (errors.Count > 0 && !call.WantsJson(format)) await call.Error.WriteLineAsync($"{errors.Count} error{(errors.Count == 1 ? "" : "s")}.");
            return errors.Count == 0 ? ExitCode.Done : ExitCode.Failed;
        });
    }

    static (string What, IReadOnlyList<DocumentError> Errors) Folder(string folder)
    {
        var result = ConfigFolder.Load(folder);
        if (result.Value is not { } configuration) return ("", result.Errors);
        if (configuration.Streams.Count + configuration.Pipelines.Count > 0)
            return ($"{configuration.Streams.Count} streams and {configuration.Pipelines.Count} pipelines are valid", []);
        return ("", [new(folder, 1, 1, "No documents here; expected streams/*.yaml or pipelines/*/pipeline.yaml.")]);
    }

    static (string What, IReadOnlyList<DocumentError> Errors) File(string file)
    {
        if (DocumentFile.IsPipeline(file))
        {
            var pipeline = PipelineDocument.Load(file);
            return ($"pipeline '{pipeline.Value?.Name}' is valid", pipeline.Errors);
        }
        if (IsVersion(file))
        {
            // A version is right when it keeps its promise to the one before it.
            var versions = ConfigFolder.LoadVersions(Path.GetDirectoryName(Path.GetFullPath(file))!);
            return ($"stream '{versions.Value?.Current.Name}' is valid in {versions.Value?.Versions.Count} versions", versions.Errors);
        }
        var stream = StreamDocument.Load(file);
        return ($"stream '{stream.Value?.Name}' is valid", stream.Errors);
    }

    static bool IsVersion(string file) => Path.GetFileNameWithoutExtension(file) is ['v', >= '1' and <= '9', .. var digits] && digits.All(char.IsAsciiDigit);
}
