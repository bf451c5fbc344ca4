using System.IO.Pipelines;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace LeanPipe.Gateway.Network;

/// <summary>A connection behind TLS. A silent one holds no buffers.</summary>
sealed class TlsTransport : IDuplexPipe, IAsyncDisposable
{
    readonly SslStream _stream;

    TlsTransport(SslStream stream)
    {
        _stream = stream;
        Input = PipeReader.Create(stream, new(leaveOpen: true, useZeroByteReads: true));
        Output = PipeWriter.Create(stream, new(leaveOpen: true));
    }

    public PipeReader Input { get; }

    public PipeWriter Output { get; }

    public string? PeerName => _stream.RemoteCertificate is X509Certificate2 certificate ? TlsIdentity.NameOf(certificate) : null;

    /// <param name="timeout">Ends a handshake that takes too long.</param>
    public static async Task<(TlsTransport? Transport, CloseReason Refusal)> AcceptAsync(IDuplexPipe plain, TlsIdentity identity, CancellationToken timeout)
    {
        var stream = new SslStream(new DuplexStream(plain));
        var refusal = CloseReason.TlsFailed;
        try
        {
            await stream.AuthenticateAsServerAsync(identity.Options(r => refusal = r), timeout);
            return (new(stream), default);
        }
        catch (Exception e) when (e is OperationCanceledException or AuthenticationException or InvalidOperationException || ConnectionEnd.ReasonOf(e) is not null)
        {
            await stream.DisposeAsync();
            return (null, e is OperationCanceledException ? CloseReason.TlsTimeout : refusal);
        }
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await _stream.ShutdownAsync();
        }
        catch (Exception e) when (e is InvalidOperationException or OperationCanceledException || ConnectionEnd.ReasonOf(e) is not null)
        {
            // A peer that is gone needs no good-bye.
            return;
        }
        finally
        {
            await _stream.DisposeAsync();
        }
    }
}
