using LeanPipe.Sidecar;

// The sidecar alone. The flags are daprd's where daprd has one; tokens come from the environment only.
var builder = WebApplication.CreateSlimBuilder(args);
var configuration = builder.Configuration;
builder.Logging.AddSimpleConsole(console => (console.SingleLine, console.TimestampFormat, console.UseUtcTimestamp) = (true, "HH:mm:ss ", true));
builder.AddSidecar(new SidecarOptions
{
    AppId = configuration["app-id"] ?? "leanpipe",
    HttpPort = configuration.GetValue("dapr-http-port", 3500),
    GrpcPort = configuration.GetValue("dapr-grpc-port", 50001),
    AppPort = configuration.GetValue<int?>("app-port"),
    ListenAddress = configuration["listen-address"] ?? "127.0.0.1",
    StateDirectory = configuration["state-directory"] ?? Path.Combine(".leanpipe", "sidecar"),
    ApiToken = configuration["DAPR_API_TOKEN"],
    AppApiToken = configuration["APP_API_TOKEN"],
});

var app = builder.Build();
app.MapSidecar();
await app.RunAsync();
