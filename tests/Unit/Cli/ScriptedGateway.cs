using System.Net;
using System.Net.Sockets;

namespace LeanPipe.Unit.Cli;

/// <summary>A gateway that does what a test tells it, one connection after another. Its port is given to nobody else while it is away.</summary>
sealed class ScriptedGateway : IDisposable
{
    TcpListener _listener = new(IPAddress.Loopback, FreePort.Next());

    public ScriptedGateway()
    {
        _listener.Start();
        Address = (IPEndPoint)_listener.LocalEndpoint;
    }

    public IPEndPoint Address { get; }

    /// <summary>From here on connections are refused.</summary>
    public void Leave() => _listener.Stop();

    /// <summary>Listens again where it did.</summary>
    public void ComeBack()
    {
        _listener = new(Address);
        _listener.Start();
    }

    public async Task<ScriptedConnection> AcceptAsync() => new(await _listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken));

    public void Dispose() => _listener.Dispose();
}

sealed class ScriptedConnection(TcpClient client) : IDisposable
{
    readonly StreamReader _reader = new(client.GetStream());

    public Task<string?> ReadLineAsync() => _reader.ReadLineAsync(TestContext.Current.CancellationToken).AsTask();

    public async Task<List<string>> ReadLinesAsync(int count)
    {
        var lines = new List<string>();
        while (lines.Count < count && await ReadLineAsync() is { } line) lines.Add(line);
        return lines;
    }

    public Task<string> ReadToEndAsync() => _reader.ReadToEndAsync(TestContext.Current.CancellationToken);

    public ValueTask AckAsync(long n) => AnswerAsync($"ACK {n}\n");

    public ValueTask AnswerAsync(string text) => client.GetStream().WriteAsync(System.Text.Encoding.ASCII.GetBytes(text), TestContext.Current.CancellationToken);

    /// <summary>As a process that is killed: without a word.</summary>
    public void Abort()
    {
        client.LingerState = new(true, 0);
        client.Close();
    }

    public void Dispose()
    {
        _reader.Dispose();
        client.Dispose();
    }
}
