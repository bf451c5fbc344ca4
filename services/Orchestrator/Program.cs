using LeanPipe.Lake;
using LeanPipe.Orchestrator;

var builder = WebApplication.CreateBuilder(args);
builder.AddOrchestrator(new() { Lake = LakeOptions.FromEnvironment(), Config = builder.Configuration["LEANPIPE_CONFIG"] ?? "." });
var app = builder.Build();
app.MapOrchestrator();
await app.RunAsync();
