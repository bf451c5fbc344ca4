using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Connections;

namespace LeanPipe.Gateway.Network;

/// <summary>One address that is listened on, and the connections that came in by it. Closed, it takes nobody more, and they go on.</summary>
/// <param name="listen">As the document says it; port 0 is bound to a free one.</param>
sealed class StreamListener(string listen, IConnectionListener listener, Func<ConnectionContext, Task> serve, TimeProvider time, ILogger logger)
{
    /// <summary>Before the next is accepted when one could not be: the process may have no file handle left.</summary>
    static readonly TimeSpan AcceptPause = TimeSpan.FromSeconds(1);

    readonly ConcurrentDictionary<ConnectionContext, Task> _open = new();
    readonly CancellationTokenSource _closed = new();
    Task _accepting = Task.CompletedTask;

    public string Listen => listen;

    public IPEndPoint EndPoint { get; } = (IPEndPoint)listener.EndPoint;

    public void Start() => _accepting = Task.Run(AcceptAsync);

    /// <summary>Frees the port.</summary>
    public async Task CloseAsync()
    {
        if (_closed.IsCancellationRequested) return;
        await _closed.CancelAsync();
        await listener.UnbindAsync();
        await _accepting;
    }

    /// <summary>Ends when every connection has; those that have not by then are cut off at the deadline.</summary>
    public async Task EndAsync(CancellationToken deadline)
    {
        await CloseAsync();
        await using (deadline.Register(() =>
        {
            foreach (var context in _open.Keys) context.Abort();
        }))
            await Task.WhenAll(_open.Values);
        await listener.DisposeAsync();
    }

    async Task AcceptAsync()
    {
        while (!_closed.IsCancellationRequested)
        {
            try
            {
                if (await listener.AcceptAsync() is not { } context) return;
                var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                _open[context] = done.Task;
                ThreadPool.UnsafeQueueUserWorkItem(c => _ = ServeAsync(c.context, c.done), (context, done), preferLocal: false);
            }
            catch (Exception e) when (!_closed.IsCancellationRequested)
            {
                logger.AcceptFailed(listen, e);
                await Task.Delay(AcceptPause, time, _closed.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (Exception) when (_closed.IsCancellationRequested)
            {
                // The socket went while it was waited on.
                return;
            }
        }
    }

    async Task ServeAsync(ConnectionContext context, TaskCompletionSource done)
    {
        try
        {
            await serve(context);
        }
        catch (Exception e)
        {
            logger.ServeFailed(listen, e);
            context.Abort();
        }
        finally
        {
            await context.DisposeAsync();
            _open.TryRemove(context, out _);
            done.SetResult();
        }
    }
}
