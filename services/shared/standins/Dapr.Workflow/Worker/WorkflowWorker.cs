using Dapr.Workflow.Grpc;
using Google.Protobuf.WellKnownTypes;
using LeanPipe.DaprWire;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dapr.Workflow.Worker;

/// <summary>Takes work items from the sidecar for as long as the host runs, whichever of the two starts first or restarts.</summary>
/// <remarks>
/// A graceful stop takes no further items, but keeps the stream open until those in flight are answered: a sidecar cancels what it handed to a
/// stream as soon as that stream closes. When the host's shutdown time is over, the rest is dropped and handed out again elsewhere.
/// </remarks>
sealed partial class WorkflowWorker(SidecarChannel channel, WorkItems items, TimeProvider time, ILogger<WorkflowWorker> logger) : BackgroundService
{
    // The official worker waits 5 s each time. Worker and sidecar often start side by side here, and a sidecar that restarts is back in
    // less: a run should not stand still for it. The ceiling is the official delay.
    static readonly TimeSpan FirstReconnect = TimeSpan.FromMilliseconds(200);
    static readonly TimeSpan LongestReconnect = TimeSpan.FromSeconds(5);
    static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(30);

    readonly CancellationTokenSource _abandon = new();

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await using var outOfTime = cancellationToken.UnsafeRegister(static state => ((CancellationTokenSource)state!).Cancel(), _abandon);
        await base.StopAsync(cancellationToken);
    }

    public override void Dispose()
    {
        _abandon.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // A host must not wait for the first connection.
        await Task.Yield();
        var backoff = new Backoff(FirstReconnect, LongestReconnect);
        string? lastReason = null;
        while (!stoppingToken.IsCancellationRequested)
        {
            var opened = time.GetTimestamp();
            var end = await RunStreamAsync(stoppingToken);
            if (stoppingToken.IsCancellationRequested)
            {
                break;
            }

            // Headers may come as late as the first item, so a stream that lasted was a good one even if nothing came.
            if (end.HadItems || time.GetElapsedTime(opened) > LongestReconnect)
            {
                backoff.Reset();
                lastReason = null;
            }

            // A sidecar that stays away is one line, not one per attempt.
            if (end.Reason != lastReason)
            {
                LogDisconnected(logger, channel.Endpoint, end.Reason);
                lastReason = end.Reason;
            }

            try
            {
                await Task.Delay(backoff.Next(), time, stoppingToken);
            }
            catch (OperationCanceledException)
            {
                break;
            }
        }

        await DrainAsync();
    }

    // Ends with the host's shutdown time at the latest: an activity that never ends must not keep the stream, and the items, from others.
    async Task DrainAsync()
    {
        try
        {
            await items.DrainAsync().WaitAsync(_abandon.Token);
        }
        catch (OperationCanceledException)
        {
            LogOutOfTime(logger);
        }
    }

    /// <summary>Reads one stream to its end, whatever that is.</summary>
    async Task<(bool HadItems, string Reason)> RunStreamAsync(CancellationToken stoppingToken)
    {
        var hadItems = false;
        using var streamEnd = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        var keepAlive = KeepAliveAsync(streamEnd.Token);
        try
        {
            using var stream = await channel.OpenAsync(TaskHubPaths.GetWorkItems, new GetWorkItemsRequest(), stoppingToken);
            while (await NextUnlessStoppedAsync(stream, stoppingToken) is { } item)
            {
                hadItems = true;
                items.Start(item, _abandon.Token);
            }

            if (stoppingToken.IsCancellationRequested)
            {
                await DrainAsync();
            }

            return (hadItems, "the sidecar ended the stream of work items");
        }
        catch (SidecarCallException e)
        {
            return (hadItems, e.Detail.Length == 0 ? $"{e.Status}" : $"{e.Status}: {e.Detail}");
        }
        catch (OperationCanceledException)
        {
            return (hadItems, "the host stops");
        }
        finally
        {
            await streamEnd.CancelAsync();
            await keepAlive;
        }
    }

    // The read itself is not cancelled by the stop: that would reset the stream under the items in flight.
    async Task<WorkItem?> NextUnlessStoppedAsync(SidecarStream stream, CancellationToken stoppingToken)
    {
        var next = stream.NextAsync(WorkItem.Parser, _abandon.Token);
        try
        {
            return await next.WaitAsync(stoppingToken);
        }
        catch (OperationCanceledException)
        {
            // Ends when the stream is disposed; how is of no interest any more.
            _ = next.ContinueWith(
                static ended => ended.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            return null;
        }
    }

    // Some proxies and sidecars close a connection that carries no calls; the stream itself may be silent for hours.
    async Task KeepAliveAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var timer = new PeriodicTimer(KeepAlive, time);
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                try
                {
                    await channel.CallAsync(TaskHubPaths.Hello, new Empty(), Empty.Parser, cancellationToken);
                }
                catch (SidecarCallException e)
                {
                    LogKeepAliveFailed(logger, e.Status, e.Detail);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The stream has ended, and this with it.
            return;
        }
    }

    [LoggerMessage(40, LogLevel.Warning, "No work items from the sidecar at {Endpoint}, trying again until it answers: {Reason}")]
    static partial void LogDisconnected(ILogger logger, Uri endpoint, string reason);

    [LoggerMessage(42, LogLevel.Warning, "The host's shutdown time is over before every work item is answered; the sidecar will hand out the rest again")]
    static partial void LogOutOfTime(ILogger logger);

    [LoggerMessage(41, LogLevel.Debug, "Keep-alive call failed: {Status}, {Detail}")]
    static partial void LogKeepAliveFailed(ILogger logger, GrpcStatusCode status, string detail);
}
