using LeanPipe.Contracts;
using LeanPipe.Sidecar;

// The sidecar alone. Tokens come from the environment only.
const int Succeeded = 0;
const int Failed = 1;
const int Usage = 2;
if (args is ["--help" or "-h"])
{
    await Console.Out.WriteLineAsync(Arguments.Help);
    return Succeeded;
}

var (options, errors) = Arguments.Parse(args);
if (options is null)
{
    foreach (var error in errors)
        await Console.Error.WriteLineAsync($"sidecar: {error}");
    await Console.Error.WriteLineAsync("sidecar: --help shows how it is called.");
    return Usage;
}

var builder = WebApplication.CreateSlimBuilder();
builder.Logging.AddSimpleConsole(console => (console.SingleLine, console.TimestampFormat, console.UseUtcTimestamp) = (true, "HH:mm:ss ", true));
try
{
    builder.AddSidecar(options with { ApiToken = builder.Configuration["DAPR_API_TOKEN"], AppApiToken = builder.Configuration["APP_API_TOKEN"] });
}
catch (LeanPipeException e) when (e.Code == "sidecar.options_invalid")
{
    await Console.Error.WriteLineAsync($"sidecar: {e.Message}");
    return Usage;
}

var app = builder.Build();
app.MapSidecar();
var store = app.Services.GetRequiredService<LeanPipe.Sidecar.State.StateStore>();
await app.RunAsync();
return store.HasFailed ? Failed : Succeeded;
