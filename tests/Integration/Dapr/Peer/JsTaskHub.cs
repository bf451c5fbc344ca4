using System.Text.Json;
using Google.Protobuf;

namespace LeanPipe.Integration.DaprPeer;

/// <summary>A call as the SDK's generated stubs read it.</summary>
/// <param name="Bytes">The message as it came, in hexadecimal.</param>
/// <param name="Again">What the stubs write for what they read: the same, unless they do not know a field.</param>
/// <param name="Message">What they read, fields in lower case.</param>
sealed record StubCall(string Name, string Bytes, string Again, string Message, JsonElement Metadata)
{
    /// <summary>The message, which the stubs know to the last byte.</summary>
    public string Whole()
    {
        Again.ShouldBe(Bytes, $"{Name}: the stubs read less than was sent: {Message}");
        return Message;
    }
}

/// <summary>A task hub on grpc-js and the SDK's own stubs, so that neither its transport nor its codec is ours.</summary>
sealed class JsTaskHub : IAsyncDisposable
{
    readonly NodeScript _script;

    JsTaskHub(NodeScript script, int port) => (_script, Endpoint) = (script, $"http://127.0.0.1:{port}");

    public string Endpoint { get; }

    public static async Task<JsTaskHub> StartAsync(string? requiredToken = null)
    {
        var script = await NodeScript.StartAsync("taskhub.js");
        return new JsTaskHub(script, (await script.CallAsync("listen", new { requiredToken })).GetInt32());
    }

    /// <summary>The next call of a method; calls of others before it are passed over.</summary>
    public async Task<StubCall> NextAsync(string method)
    {
        var call = await _script.NextAsync("call", told => told.GetProperty("name").GetString() == method);
        return new StubCall(
            method, call.GetProperty("bytes").GetString()!, call.GetProperty("again").GetString()!, call.GetProperty("message").GetRawText(), call.GetProperty("metadata"));
    }

    /// <summary>The next stream of work items that was not refused.</summary>
    public Task AcceptedAsync() => _script.NextAsync("accepted");

    /// <summary>The next call, whichever it is.</summary>
    public async Task<string> NextNameAsync() => (await _script.NextAsync("call")).GetProperty("name").GetString()!;

    public Task AnswerAsync(string method, params object[] answers) => _script.CallAsync("answer", new { name = method, with = answers });

    public Task AnswerAsync(string method, IMessage message) => AnswerAsync(method, (object)new { hex = Hex(message) });

    /// <summary>Through the stubs: the worker gets what they write for what they read.</summary>
    public Task SendAsync(IMessage item) => _script.CallAsync("send", new { hex = Hex(item) });

    public Task EndStreamAsync(int? code = null, string details = "") => _script.CallAsync("endStream", new { code, details });

    public Task ResetStreamAsync(int http2Code) => _script.CallAsync("resetStream", new { http2Code });

    public Task DropConnectionAsync() => _script.CallAsync("dropConnection");

    public Task RequireTokenAsync(string? value) => _script.CallAsync("requireToken", new { value });

    public ValueTask DisposeAsync() => _script.DisposeAsync();

    static string Hex(IMessage message) => Convert.ToHexStringLower(message.ToByteArray());
}
