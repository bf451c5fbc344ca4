using System.Net;
using LeanPipe.Cli.Homes;
using LeanPipe.Contracts;
using LeanPipe.Gateway;
using LeanPipe.Orchestrator;
using LeanPipe.Sidecar;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace LeanPipe.Cli.Local;

/// <summary>Sidecar, orchestrator and gateway in one process, each a web application of its own that knows the others by address only.</summary>
/// <remarks>Started in the order in which they need each other and stopped the other way round, so that what the gateway drains is still published, and what is published still delivered.</remarks>
sealed class LocalProcess : IAsyncDisposable
{
    const string NamePrefix = "leanpipe-";

    readonly LocalOptions _options;
    readonly Stack<WebApplication> _running = new();
    readonly TaskCompletionSource<string> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    GatewayLedgers? _ledgers;

    LocalProcess(LocalOptions options) => _options = options;

    public Endpoints Endpoints { get; private set; } = null!;

    public RunProgress Runs { get; private set; } = null!;

    /// <summary>What is durable of a stream at this moment; null when the gateway has no such stream.</summary>
    public Ledger? LedgerOf(StreamName stream) => _ledgers!.Streams.Contains(stream) ? _ledgers.Get(stream) : null;

    /// <summary>Completes when the first service ends. One that did so by itself, because its state cannot be written or because it was told to, leaves the others half alive.</summary>
    public Task Ended => _ended.Task;

    /// <exception cref="LeanPipeException"><c>cli.service_ended</c></exception>
    public void ThrowIfEnded()
    {
        if (_ended.Task.IsCompletedSuccessfully)
            throw new LeanPipeException("cli.service_ended", $"The {_ended.Task.Result} has ended by itself; its last lines in the log say why. Start leanpipe again, and it goes on where it was.");
    }

    /// <exception cref="Contracts.LeanPipeException">A port is taken, or a service refuses its options.</exception>
    public static async Task<LocalProcess> StartAsync(LocalOptions options, CancellationToken stop)
    {
        Ports.Require(options);
        var process = new LocalProcess(options);
        try
        {
            await process.StartAllAsync(stop);
            return process;
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        while (_running.TryPop(out var service))
        {
            await service.StopAsync(CancellationToken.None);
            await service.DisposeAsync();
        }
    }

    async Task StartAllAsync(CancellationToken stop)
    {
        var sidecar = Builder("sidecar", listenOn: null);
        sidecar.AddSidecar(new() { HttpPort = _options.DaprHttpPort, GrpcPort = _options.DaprGrpcPort, StateDirectory = _options.Home.SidecarState });
        var ports = (await RunAsync(sidecar, app => app.MapSidecar(), stop)).Services.GetRequiredService<SidecarEndpoints>();

        var orchestrator = Builder("orchestrator", _options.Port, ports);
        orchestrator.AddOrchestrator(new() { Lake = _options.Lake, Config = _options.Home.Config, Scratch = _options.Home.In("state", "scratch") });
        var runs = await RunAsync(orchestrator, app => app.MapOrchestrator(), stop);
        Runs = runs.Services.GetRequiredService<RunProgress>();
        ports.AppPort = PortOf(runs);

        var gateway = Builder("gateway", listenOn: null, ports);
        gateway.AddGateway(new() { Streams = _options.Configuration.Streams, StreamsFolder = _options.Home.Config, Lake = _options.Lake, LogDirectory = _options.Home.GatewayState, Http = "127.0.0.1:0" });
        var streams = await RunAsync(gateway, app => app.MapGateway(), stop);
        _ledgers = streams.Services.GetRequiredService<GatewayLedgers>();

        var listening = streams.Services.GetRequiredService<GatewayEndpoints>();
        Endpoints = new(
            Environment.ProcessId, TimeProvider.System.GetUtcNow(), ports.HttpPort, ports.GrpcPort, PortOf(runs),
            listening.Streams.ToDictionary(a => a.Key.Value, a => a.Value.ToString()), listening.Http!.Port);
        Endpoints.Write(_options.Home);
        streams.Services.GetRequiredService<GatewayProgress>().DocumentsRead += () =>
        {
            Endpoints = Endpoints with { Streams = listening.Streams.ToDictionary(a => a.Key.Value, a => a.Value.ToString()) };
            Endpoints.Write(_options.Home);
        };
    }

    async Task<WebApplication> RunAsync(WebApplicationBuilder builder, Action<WebApplication> map, CancellationToken stop)
    {
        var app = builder.Build();
        _running.Push(app);
        app.Lifetime.ApplicationStopping.Register(() => _ended.TrySetResult(app.Environment.ApplicationName[NamePrefix.Length..]));
        map(app);
        await app.StartAsync(stop);
        return app;
    }

    WebApplicationBuilder Builder(string service, int? listenOn, SidecarEndpoints? sidecar = null)
    {
        // Empty: neither files of the current folder nor variables of the environment may steer a service behind the options' back.
        var builder = WebApplication.CreateEmptyBuilder(new() { ApplicationName = NamePrefix + service, ContentRootPath = AppContext.BaseDirectory });
        builder.WebHost.UseKestrelCore();
        builder.Services.AddRouting();
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Logging.AddProvider(new LineLogger(_options.Log, service, _options.Verbose, TimeProvider.System));
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning).AddFilter("System", LogLevel.Warning);
        if (listenOn is { } port) builder.WebHost.ConfigureKestrel(k => k.Listen(IPAddress.Loopback, port));
        if (sidecar is not null)
        {
            builder.Configuration["DAPR_HTTP_ENDPOINT"] = $"http://127.0.0.1:{sidecar.HttpPort}";
            builder.Configuration["DAPR_GRPC_ENDPOINT"] = $"http://127.0.0.1:{sidecar.GrpcPort}";
        }
        return builder;
    }

    static int PortOf(WebApplication app) => new Uri(app.Urls.First()).Port;

    /// <summary>The signals of the process are the command's: three applications must not each stop by themselves.</summary>
    sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
