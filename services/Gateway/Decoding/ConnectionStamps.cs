using System.Buffers;
using LeanPipe.Contracts;

namespace LeanPipe.Gateway.Decoding;

/// <summary>What the gateway knows about a connection, as JSON strings.</summary>
/// <param name="client">Null when the peer showed no certificate.</param>
sealed class ConnectionStamps(string peer, string? client)
{
    public byte[] Peer { get; } = Json(peer);

    public byte[]? Client { get; } = client is null ? null : Json(client);

    static byte[] Json(string text)
    {
        var target = new ArrayBufferWriter<byte>();
        CellWriter.AppendString(target, System.Text.Encoding.UTF8.GetBytes(text));
        return target.WrittenSpan.ToArray();
    }
}
