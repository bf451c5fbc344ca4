using LeanPipe.Documents;
using LeanPipe.Gateway;
using LeanPipe.Lake;

// --streams DIR (streams/*.yaml below it), --log DIR, --id NAME, --http ADDRESS; the lake from LEANPIPE_LAKE and its companions, or --lake ROOT.
// --accept-log-damage true; --log-file-bytes, --max-log-bytes, --min-free-disk-bytes, --read-buffer-bytes N; --max-commit-delay 00:00:00.005.
var builder = WebApplication.CreateSlimBuilder(args);
var settings = builder.Configuration;
try
{
    var lake = settings["lake"] is { } root ? new LakeOptions { Root = root } : LakeOptions.FromEnvironment();
    var defaults = new GatewayOptions { Streams = [], Lake = lake, LogDirectory = "" };
    var folder = settings["streams"] ?? "config";
    builder.AddGateway(new()
    {
        Streams = ConfigFolder.Load(folder).Require().Streams,
        StreamsFolder = folder,
        ReloadOnHangup = true,
        Lake = lake,
        LogDirectory = settings["log"] ?? "log",
        Id = settings["id"] ?? Environment.GetEnvironmentVariable("HOSTNAME") ?? "gateway-0",
        Http = settings["http"] ?? "127.0.0.1:8080",
        AcceptLogDamage = settings.GetValue("accept-log-damage", false),
        LogFileBytes = settings.GetValue("log-file-bytes", defaults.LogFileBytes),
        MaxLogBytes = settings.GetValue("max-log-bytes", defaults.MaxLogBytes),
        MinFreeDiskBytes = settings.GetValue("min-free-disk-bytes", defaults.MinFreeDiskBytes),
        Buffers = new() { PortionBytes = settings.GetValue("read-buffer-bytes", defaults.Buffers.PortionBytes) },
        MaxCommitDelay = settings.GetValue("max-commit-delay", defaults.MaxCommitDelay),
    });
}
catch (LeanPipe.Contracts.LeanPipeException e)
{
    await Console.Error.WriteLineAsync(e.Message);
    return 2;
}

var app = builder.Build();
app.MapGateway();
try
{
    await app.RunAsync();
    return Environment.ExitCode;
}
catch (LeanPipe.Contracts.LeanPipeException e)
{
    await Console.Error.WriteLineAsync($"{e.Code}: {e.Message}");
    return 1;
}
