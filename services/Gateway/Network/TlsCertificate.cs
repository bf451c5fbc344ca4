using System.Security.Cryptography;
using LeanPipe.Contracts;

namespace LeanPipe.Gateway.Network;

/// <summary>The newest usable identity of a stream. Its files are looked at again and again; what is broken is refused, and the identity before it stays.</summary>
/// <remarks>A new identity is for new connections. Open ones go on with the keys they have agreed on.</remarks>
sealed class TlsCertificate
{
    readonly StreamName _stream;
    readonly TlsDefinition _tls;
    readonly GatewayHealth _health;
    readonly TimeProvider _time;
    readonly ILogger _logger;
    readonly Lock _sync = new();
    byte[] _seen;
    bool _isForgotten;

    /// <exception cref="LeanPipeException"><c>gateway.tls_files</c></exception>
    public TlsCertificate(StreamName stream, TlsDefinition tls, GatewayHealth health, TimeProvider time, ILogger logger)
    {
        (_stream, _tls, _health, _time, _logger) = (stream, tls, health, time, logger);
        _seen = Fingerprint();
        Identity = TlsIdentity.Load(tls);
        CheckExpiry();
    }

    public TlsDefinition Definition => _tls;

    string Refused => $"certificate_refused.{_stream}";

    string Expired => $"certificate_expired.{_stream}";

    /// <summary>Written by <see cref="Look"/> only.</summary>
    public TlsIdentity Identity { get; private set; }

    /// <summary>Takes what the files hold now, when it is something else than last time.</summary>
    public void Check()
    {
        lock (_sync)
            if (!_isForgotten) Look();
    }

    void Look()
    {
        CheckExpiry();
        try
        {
            var found = Fingerprint();
            if (found.AsSpan().SequenceEqual(_seen)) return;
            _seen = found;
            var next = TlsIdentity.Load(_tls);
            if (next.NotAfter <= _time.GetUtcNow()) throw new LeanPipeException("gateway.tls_files", $"The certificate in '{_tls.CertificateFile}' has expired at {next.NotAfter:u}. Issue a new one.");
            Identity = next;
            _health.Clear(Refused);
            CheckExpiry();
            _logger.CertificateLoaded(_stream, next.NotAfter);
        }
        catch (Exception e) when (e is LeanPipeException or IOException or UnauthorizedAccessException)
        {
            // Files that are replaced one after the other do not fit for a moment; the next look finds them whole.
            _health.Raise(Refused, $"The new certificate of stream '{_stream}' is refused, the one before it stays: {e.Message}");
            _logger.CertificateRefused(_stream, e);
        }
    }

    /// <summary>Another document names other files: what was wrong with these is nobody's business any more.</summary>
    public void Forget()
    {
        lock (_sync)
        {
            _isForgotten = true;
            _health.Clear(Refused);
            _health.Clear(Expired);
        }
    }

    void CheckExpiry()
    {
        if (Identity.NotAfter > _time.GetUtcNow()) _health.Clear(Expired);
        else _health.Raise(Expired, $"The certificate of stream '{_stream}' has expired at {Identity.NotAfter:u}; peers will refuse it.");
    }

    byte[] Fingerprint()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var file in new[] { _tls.CertificateFile, _tls.KeyFile, _tls.ClientCaFile })
            if (file is not null && File.Exists(file)) hash.AppendData(SHA256.HashData(File.ReadAllBytes(file)));
        return hash.GetHashAndReset();
    }
}
