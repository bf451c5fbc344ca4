using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace LeanPipe.Benchmarks.Ingest;

/// <summary>A program under test: a process of its own in a folder of its own, which takes lines on a port.</summary>
abstract class Server : IAsyncDisposable
{
    protected static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    Process? _process;

    protected DirectoryInfo Folder { get; } = Directory.CreateTempSubdirectory("leanpipe-ingest-");

    public int Port { get; } = FreePort.Next();

    public int ProcessId => _process!.Id;

    /// <summary>Starts it and returns when it listens.</summary>
    public async Task StartAsync()
    {
        var start = await PrepareAsync();
        start.UseShellExecute = false;
        start.RedirectStandardOutput = start.RedirectStandardError = true;
        _process = Process.Start(start)!;
        var said = new List<string>();
        DataReceivedEventHandler keep = (_, e) =>
        {
            lock (said)
                if (e.Data is not null && said.Count < 100) said.Add(e.Data);
        };
        _process.OutputDataReceived += keep;
        _process.ErrorDataReceived += keep;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        await UntilAsync(() =>
        {
            if (_process.HasExited) throw new InvalidOperationException($"'{start.FileName}' ended before it listened: {string.Join(Environment.NewLine, said)}");
            using var probe = new Socket(SocketType.Stream, ProtocolType.Tcp);
            try
            {
                probe.Connect(IPAddress.Loopback, Port);
                return ValueTask.FromResult(true);
            }
            catch (SocketException)
            {
                return ValueTask.FromResult(false);
            }
        });
    }

    /// <summary>Writes its configuration below <see cref="Folder"/>.</summary>
    protected abstract Task<ProcessStartInfo> PrepareAsync();

    /// <summary>Returns when so many lines, over all connections so far, are written: fsynced by ours, in the file of a peer.</summary>
    public abstract Task ReceivedAsync(long lines);

    /// <summary>Returns when so many lines are where this case wants them.</summary>
    public abstract Task DoneAsync(long lines);

    protected async Task UntilAsync(Func<ValueTask<bool>> isDone)
    {
        var clock = Stopwatch.StartNew();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (!await isDone())
        {
            if (clock.Elapsed > Patience) throw new TimeoutException($"{GetType().Name} did not come to its end within {Patience}.");
            await timer.WaitForNextTickAsync();
        }
    }

    public virtual async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            if (!_process.HasExited) _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
            _process.Dispose();
        }
        Folder.Delete(recursive: true);
    }
}
