using LeanPipe.Contracts;
using LeanPipe.Lake;
using LeanPipe.Orchestrator;

// check URL...: probes the lake and asks the addresses, then exits; `helm test` runs it.
if (args is ["check", .. var addresses]) return await InstallationCheck.RunAsync(() => ObjectStores.Open(LakeOptions.FromEnvironment()), addresses, Console.Out);

var builder = WebApplication.CreateBuilder(args);
try
{
    builder.AddOrchestrator(OrchestratorEnvironment.Read(LakeOptions.FromEnvironment(), name => builder.Configuration[name]));
}
catch (LeanPipeException e)
{
    await Console.Error.WriteLineAsync($"{e.Code}: {e.Message}");
    return 2;
}
var app = builder.Build();
app.MapOrchestrator();
await app.RunAsync();
return 0;
