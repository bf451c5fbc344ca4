using LeanPipe.Documents;
using LeanPipe.Gateway;
using LeanPipe.Lake;

// --streams DIR (streams/*.yaml below it), --log DIR, --id NAME, --http ADDRESS; the lake from LEANPIPE_LAKE and its companions, or --lake ROOT.
var builder = WebApplication.CreateSlimBuilder(args);
var settings = builder.Configuration;
try
{
    var lake = settings["lake"] is { } root ? new LakeOptions { Root = root } : LakeOptions.FromEnvironment();
    builder.AddGateway(new()
    {
        Streams = ConfigFolder.Load(settings["streams"] ?? "config").Require().Streams,
        Lake = lake,
        LogDirectory = settings["log"] ?? "log",
        Id = settings["id"] ?? Environment.GetEnvironmentVariable("HOSTNAME") ?? "gateway-0",
        Http = settings["http"] ?? "127.0.0.1:8080",
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
