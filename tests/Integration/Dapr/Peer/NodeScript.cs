using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;

namespace LeanPipe.Integration.DaprPeer;

/// <summary>What a script threw: for a failed call the gRPC status and its text.</summary>
sealed class NodeScriptException(string message, int? code, string? details) : Exception(message)
{
    public int? Code => code;

    public string? Details => details;
}

/// <summary>A script of <c>js/</c> as a process: commands and answers as JSON lines over its standard input and output.</summary>
sealed class NodeScript : IAsyncDisposable
{
    static readonly JsonSerializerOptions Names = new(JsonSerializerDefaults.Web);
    static readonly UTF8Encoding Plain = new(encoderShouldEmitUTF8Identifier: false);

    readonly Process _process;
    readonly ConcurrentDictionary<int, TaskCompletionSource<JsonElement>> _open = new();
    readonly ConcurrentQueue<string> _log = new();
    readonly SemaphoreSlim _writing = new(1);
    int _lastId;

    NodeScript(Process process) => _process = process;

    /// <summary>What the script told by itself, in its order.</summary>
    public Channel<JsonElement> Events { get; } = Channel.CreateUnbounded<JsonElement>();

    public static async Task<NodeScript> StartAsync(string name)
    {
        await NodePackages.RequireAsync();
        var process = Process.Start(new ProcessStartInfo("node", [name])
        {
            WorkingDirectory = NodePackages.Directory,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = Plain,
            UseShellExecute = false,
        })!;
        var script = new NodeScript(process);
        process.ErrorDataReceived += (_, line) => script._log.Enqueue(line.Data ?? "");
        process.BeginErrorReadLine();
        _ = script.ReadAsync();
        await script.NextAsync("ready");
        return script;
    }

    public async Task<JsonElement> CallAsync(string command, object? args = null)
    {
        var id = Interlocked.Increment(ref _lastId);
        var line = args is null ? [] : JsonSerializer.SerializeToNode(args, Names)!.AsObject();
        line["id"] = id;
        line["do"] = command;
        var answer = new TaskCompletionSource<JsonElement>(TaskCreationOptions.RunContinuationsAsynchronously);
        _open[id] = answer;
        await _writing.WaitAsync();
        try
        {
            await _process.StandardInput.WriteLineAsync(line.ToJsonString());
            await _process.StandardInput.FlushAsync();
        }
        finally
        {
            _writing.Release();
        }

        return await answer.Task.WaitAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>The next event of a kind; others before it are passed over.</summary>
    public async Task<JsonElement> NextAsync(string kind, Func<JsonElement, bool>? which = null)
    {
        await foreach (var told in Events.Reader.ReadAllAsync(TestContext.Current.CancellationToken))
        {
            if (told.GetProperty("event").GetString() == kind && which?.Invoke(told) != false)
                return told;
        }

        throw new InvalidOperationException($"The script ended before it told '{kind}': {string.Join('\n', _log)}");
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill();
        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
        _writing.Dispose();
    }

    async Task ReadAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            var told = JsonDocument.Parse(line).RootElement;
            if (told.TryGetProperty("event", out _))
                Events.Writer.TryWrite(told);
            else if (_open.TryRemove(told.GetProperty("id").GetInt32(), out var answer))
                Settle(answer, told);
        }

        Events.Writer.Complete();
        foreach (var left in _open.Values)
            left.TrySetException(new InvalidOperationException($"The script ended: {string.Join('\n', _log)}"));
    }

    static void Settle(TaskCompletionSource<JsonElement> answer, JsonElement told)
    {
        if (!told.TryGetProperty("error", out var error))
        {
            answer.SetResult(told.GetProperty("result"));
            return;
        }

        var code = error.GetProperty("code");
        answer.SetException(new NodeScriptException(
            error.GetProperty("message").GetString()!,
            code.ValueKind == JsonValueKind.Number ? code.GetInt32() : null,
            error.GetProperty("details").GetString()));
    }
}
