using System.Net.Sockets;
using LeanPipe.Contracts;

namespace LeanPipe.StepRunner;

/// <summary>The other side of one connection.</summary>
internal sealed class Caller(NetworkStream stream) : IDisposable
{
    readonly CancellationTokenSource _gone = new();
    readonly SemaphoreSlim _writing = new(1);
    ITimer? _alive;

    /// <summary>It hung up.</summary>
    public CancellationToken Gone => _gone.Token;

    /// <returns>Null when none came: a probe, or somebody who says something else.</returns>
    public async Task<WarmRequest?> RequestAsync(TimeSpan within)
    {
        using var deadline = new CancellationTokenSource(within);
        var (buffer, length) = (new byte[WarmWire.MaxRequestBytes], 0);
        try
        {
            while (length < buffer.Length && await stream.ReadAsync(buffer.AsMemory(length), deadline.Token) is > 0 and var read)
                if (buffer.AsSpan(length, read).IndexOf((byte)'\n') is >= 0 and var end) return WarmWire.Request(buffer.AsSpan(0, length + end));
                else length += read;
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            return null;
        }
        return null;
    }

    /// <summary>From now on it is told that the attempt is alive, and whether it has hung up is known.</summary>
    public void Watch()
    {
        _ = WatchAsync();
        _alive = TimeProvider.System.CreateTimer(_ => _ = SayAsync(new(WarmState.Alive)), null, WarmWire.AliveEvery, WarmWire.AliveEvery);
    }

    /// <summary>Does nothing once it is gone.</summary>
    public async Task SayAsync(WarmReply reply)
    {
        await _writing.WaitAsync(CancellationToken.None);
        try
        {
            if (!_gone.IsCancellationRequested) await stream.WriteAsync(WarmWire.Line(reply), CancellationToken.None);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            await _gone.CancelAsync();
        }
        finally
        {
            _writing.Release();
        }
    }

    // What it has is not disposed: a message or a look that is under way ends by itself when the stream does.
    public void Dispose()
    {
        _alive?.Dispose();
        stream.Dispose();
    }

    async Task WatchAsync()
    {
        var ignored = new byte[256];
        try
        {
            while (await stream.ReadAsync(ignored, CancellationToken.None) > 0) continue;
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // Reset, or closed by ourselves.
            await _gone.CancelAsync();
            return;
        }
        await _gone.CancelAsync();
    }
}
