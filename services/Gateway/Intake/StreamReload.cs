using System.Runtime.InteropServices;
using System.Threading.Channels;
using LeanPipe.Contracts;
using LeanPipe.Documents;

namespace LeanPipe.Gateway.Intake;

/// <summary>Takes changed stream documents while the gateway runs, without dropping a connection.</summary>
/// <remarks>
/// While one document of the folder is wrong, none is taken: a stream whose document cannot be read must not look like one that is gone. A document that breaks its promise to the one in force,
/// or cannot be compiled, is refused alone. A new stream, another address and a stream that is gone change what is listened on, behind all documents; every other connection goes on.
/// </remarks>
sealed class StreamReload : IAsyncDisposable
{
    const string Refused = "documents_refused";

    /// <summary>A health sentence is for a person; the log has them all.</summary>
    const int ReasonsInHealth = 3;

    readonly string _folder;
    readonly GatewayHost _host;
    readonly GatewayOptions _options;
    readonly GatewayHealth _health;
    readonly GatewayProgress _progress;
    readonly ILogger _logger;
    readonly FileSystemWatcher? _watcher;
    readonly PosixSignalRegistration? _hangup;
    readonly Channel<bool> _changes = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    readonly CancellationTokenSource _stopping = new();
    readonly SemaphoreSlim _one = new(1);
    readonly Task _running;
    Dictionary<StreamName, string> _texts;

    public StreamReload(string folder, GatewayHost host, GatewayOptions options, GatewayHealth health, GatewayProgress progress, ILogger logger)
    {
        (_folder, _host, _options, _health, _progress, _logger) = (folder, host, options, health, progress, logger);
        _texts = ConfigFolder.LoadStreams(folder).Value?.ToDictionary(s => s.Current.Name, s => s.Text) ?? [];
        var streams = Path.Combine(folder, "streams");
        if (Directory.Exists(streams))
        {
            _watcher = new(streams) { IncludeSubdirectories = true };
            _watcher.Changed += (_, _) => Wake();
            _watcher.Created += (_, _) => Wake();
            _watcher.Deleted += (_, _) => Wake();
            _watcher.Renamed += (_, _) => Wake();

            // More changes at once than the system remembers.
            _watcher.Error += (_, _) => Wake();
            _watcher.EnableRaisingEvents = true;
        }
        if (options.ReloadOnHangup)
        {
            _hangup = PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal =>
            {
                signal.Cancel = true;
                Wake();
            });
        }
        _running = Task.Run(RunAsync);
    }

    public async ValueTask DisposeAsync()
    {
        _watcher?.Dispose();
        _hangup?.Dispose();
        await _stopping.CancelAsync();
        await _running;
        _stopping.Dispose();
        _one.Dispose();
    }

    /// <summary>Reads the folder and puts in force what changed and is right.</summary>
    public async Task ReloadAsync()
    {
        await _one.WaitAsync();
        try
        {
            await TakeAsync();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Report([$"The folder '{_folder}' cannot be read: {e.Message}"]);
        }
        finally
        {
            _one.Release();
        }
        _progress.OnDocumentsRead();
    }

    void Wake() => _changes.Writer.TryWrite(true);

    async Task RunAsync()
    {
        try
        {
            while (await _changes.Reader.ReadAsync(_stopping.Token))
            {
                await Task.Delay(_options.ReloadAfter, _stopping.Token);
                while (_changes.Reader.TryRead(out _)) await Task.Delay(_options.ReloadAfter, _stopping.Token);
                await ReloadAsync();
            }
        }
        catch (OperationCanceledException)
        {
            // The gateway shuts down.
            return;
        }
        catch (Exception e)
        {
            // What runs goes on; the next start reads the documents.
            Report([$"Changed documents are not read any more: {e.Message}"]);
        }
    }

    async Task TakeAsync()
    {
        var loaded = ConfigFolder.LoadStreams(_folder);
        if (loaded.Value is not { } streams)
        {
            Report([.. loaded.Errors.Select(e => e.ToString())]);
            return;
        }
        var refused = new List<string>();
        var texts = new Dictionary<StreamName, string>();
        foreach (var stream in streams)
        {
            var name = stream.Current.Name;
            var running = _host.Streams.GetValueOrDefault(name);
            if (running is { Withdrawn.IsCancellationRequested: false } && _texts.GetValueOrDefault(name) == stream.Text) texts[name] = stream.Text;
            else if (await RefusedAsync(running, stream) is { } reason) refused.Add(reason);
            else
            {
                texts[name] = stream.Text;
                _logger.DocumentTaken(name, stream.Current.SchemaId);
            }
        }
        foreach (var (name, running) in _host.Streams)
        {
            if (streams.Any(s => s.Current.Name == name) || running.Withdrawn.IsCancellationRequested) continue;
            _logger.StreamWithdrawn(name);
            await _host.WithdrawAsync(running);
        }
        _texts = texts;
        await _host.ListenAsync();
        Report(refused);
    }

    /// <summary>Why the document stays out; null when it is in force.</summary>
    /// <param name="running">Null for a new stream.</param>
    async Task<string?> RefusedAsync(StreamIntake? running, LoadedStream stream)
    {
        var changed = stream.Current;
        var breaks = running is null ? [] : SchemaCompatibility.Breaks(running.Definition, changed, "the document in force", "the changed one");
        if (breaks.Count > 0) return $"{stream.File}: {string.Join(' ', breaks)}";
        try
        {
            await _host.UseAsync(new(changed));
            return null;
        }
        catch (LeanPipeException e) when (e is not Log.LogException)
        {
            return $"{stream.File}: {e.Message}";
        }
    }

    void Report(IReadOnlyList<string> refused)
    {
        foreach (var reason in refused) _logger.DocumentRefused(reason);
        if (refused.Count == 0) _health.Clear(Refused);
        else _health.Raise(Refused, $"{string.Join(' ', refused.Take(ReasonsInHealth))}{(refused.Count > ReasonsInHealth ? $" … and {refused.Count - ReasonsInHealth} more." : "")} What ran before runs on.");
    }
}
