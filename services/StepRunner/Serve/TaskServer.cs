using System.ComponentModel;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using LeanPipe.Contracts;

namespace LeanPipe.StepRunner;

/// <summary>Takes attempts over TCP, one at a time, each in a process of its own that was started before the attempt came.</summary>
/// <remarks>
/// The connection is the attempt's life: when the caller hangs up, its process is killed, so nothing runs that nobody waits for; when this process dies, the caller
/// sees the connection end and the process its input. Nothing is kept: what an attempt yields is in the lake, under its own prefix, as after any other launch.
/// A process never runs a second attempt, and its scratch is gone before the next one is taken.
/// </remarks>
internal sealed class TaskServer : IDisposable
{
    /// <summary>Probes connect and say nothing.</summary>
    static readonly TimeSpan RequestWithin = TimeSpan.FromSeconds(10);

    /// <summary>The process ends itself at its timeout; this is for one that cannot.</summary>
    static readonly TimeSpan Grace = TimeSpan.FromSeconds(30);

    readonly ServeArguments _arguments;
    readonly Uri _lake;
    readonly byte[] _token;
    readonly TcpListener _listener;
    readonly SemaphoreSlim _place = new(1);
    readonly Lock _sync = new();
    TaskProcess? _waiting;
    Task _running = Task.CompletedTask;

    /// <param name="lake">The root of the lake that the processes' environment names.</param>
    public TaskServer(ServeArguments arguments, Uri lake)
    {
        (_arguments, _lake, _token) = (arguments, lake, Hash(arguments.Token));
        // What an earlier life left behind.
        foreach (var left in Directory.CreateDirectory(arguments.Scratch).EnumerateDirectories()) left.Delete(recursive: true);
        _listener = new(arguments.Listen);
        _listener.Start();
        Endpoint = (IPEndPoint)_listener.LocalEndpoint;
    }

    public IPEndPoint Endpoint { get; }

    /// <summary>Until told to stop; the attempt that runs then ends by itself first.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        Prepare();
        try
        {
            while (true) _ = ServeAsync(await _listener.AcceptTcpClientAsync(stop));
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            _listener.Stop();
            await _place.WaitAsync(CancellationToken.None);
            // The place is free a moment before the end is said.
            await Task.WhenAny(_running);
        }
    }

    public void Dispose()
    {
        _listener.Dispose();
        lock (_sync)
        {
            _waiting?.Dispose();
            _waiting = null;
        }
        _place.Dispose();
    }

    async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                client.NoDelay = true;
                using var caller = new Caller(client.GetStream());
                if (await caller.RequestAsync(RequestWithin) is not { } request) return;
                if (Refusal(request) is { } reason) await caller.SayAsync(new(WarmState.Refused, reason));
                else if (!await _place.WaitAsync(TimeSpan.Zero, CancellationToken.None)) await caller.SayAsync(new(WarmState.Busy));
                else await (_running = RunAsync(request, caller));
            }
            catch (Exception e) when (e is IOException or SocketException or UnauthorizedAccessException or Win32Exception)
            {
                // The caller is gone, or this machine has no room for a process: either way the caller sees the connection end.
                await Console.Error.WriteLineAsync($"steprunner: {e.Message}");
            }
        }
    }

    async Task RunAsync(WarmRequest request, Caller caller)
    {
        WarmReply end;
        try
        {
            using var process = Take();
            using var deadline = new CancellationTokenSource(request.Timeout + Grace);
            using var kill = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, caller.Gone);
            await caller.SayAsync(new(WarmState.Taken));
            caller.Watch();
            await Console.Out.WriteLineAsync($"steprunner: runs {request.Task}, attempt {request.Attempt}");
            var (code, tail) = await process.RunAsync(request.Task, request.Attempt, line => caller.SayAsync(new(WarmState.Output, line)), kill.Token);
            end = new(WarmState.Ended, tail, code, deadline.IsCancellationRequested);
        }
        finally
        {
            // Before the end is said, so that whoever hears it finds the place free.
            _place.Release();
        }
        await caller.SayAsync(end);
        Prepare();
    }

    string? Refusal(WarmRequest request) =>
        !CryptographicOperations.FixedTimeEquals(Hash(request.Token), _token) ? "The token is not this release's."
        : request.Release != WarmWire.Release ? $"Release {request.Release} asks, this is {WarmWire.Release}."
        : request.Lake != _lake ? $"The task is in {request.Lake}, this step runner's lake is {_lake}."
        : null;

    /// <summary>Starts the next process, unless one waits.</summary>
    void Prepare()
    {
        lock (_sync) _waiting ??= new(_arguments.Scratch);
    }

    TaskProcess Take()
    {
        lock (_sync)
        {
            if (_waiting is { HasEnded: true } dead)
            {
                dead.Dispose();
                _waiting = null;
            }
            var taken = _waiting ?? new(_arguments.Scratch);
            _waiting = null;
            return taken;
        }
    }

    static byte[] Hash(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));
}
