using LeanPipe.Sidecar;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace LeanPipe.Tests;

/// <summary>Web applications in the process of a test or benchmark: on loopback, on a free port, without a log. Whoever makes one maps, starts and disposes it.</summary>
static class LoopbackApp
{
    public static WebApplication Create() => Builder().Build();

    /// <summary>For an application that is made of services.</summary>
    public static WebApplicationBuilder Builder()
    {
        var builder = Silent();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        return builder;
    }

    /// <summary>The embedded sidecar, mapped; it listens where its options say.</summary>
    public static WebApplication CreateSidecar(SidecarOptions options, TimeProvider? time = null)
    {
        var builder = Silent();
        if (time is not null) builder.Services.AddSingleton(time);
        builder.AddSidecar(options);
        var app = builder.Build();
        app.MapSidecar();
        return app;
    }

    /// <summary>Where a started application listens.</summary>
    public static Uri Address(this WebApplication app) => new(app.Urls.Single());

    static WebApplicationBuilder Silent()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        return builder;
    }
}
