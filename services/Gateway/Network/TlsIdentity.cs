using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using LeanPipe.Contracts;

namespace LeanPipe.Gateway.Network;

/// <summary>What a stream shows its peers and asks of them, as its files were when they were read.</summary>
sealed class TlsIdentity
{
    static readonly Oid ClientAuthentication = new("1.3.6.1.5.5.7.3.2");

    readonly SslStreamCertificateContext _certificate;
    readonly X509ChainPolicy? _clients;
    readonly bool _requiresClient;

    TlsIdentity(SslStreamCertificateContext certificate, X509ChainPolicy? clients, bool requiresClient) => (_certificate, _clients, _requiresClient) = (certificate, clients, requiresClient);

    public DateTimeOffset NotAfter => new(_certificate.TargetCertificate.NotAfter.ToUniversalTime());

    /// <exception cref="LeanPipeException"><c>gateway.tls_files</c>: a file is missing, unreadable, or does not fit the others.</exception>
    public static TlsIdentity Load(TlsDefinition tls)
    {
        var certificates = new X509Certificate2Collection();
        var clients = tls.ClientCaFile is null ? null : new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        var file = tls.CertificateFile;
        try
        {
            certificates.ImportFromPemFile(file);
            if (certificates.Count == 0) throw new CryptographicException("it holds no certificate");
            file = tls.KeyFile;
            var own = X509Certificate2.CreateFromPemFile(tls.CertificateFile, file);
            if (clients is not null)
            {
                clients.ApplicationPolicy.Add(ClientAuthentication);
                file = tls.ClientCaFile!;
                clients.CustomTrustStore.ImportFromPemFile(file);
                if (clients.CustomTrustStore.Count == 0) throw new CryptographicException("it holds no certificate");
            }
            certificates.RemoveAt(0);
            return new(SslStreamCertificateContext.Create(own, certificates, offline: true), clients, tls.RequireClientCertificate);
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new LeanPipeException(
                "gateway.tls_files", $"The file '{file}' cannot be used for TLS: {e.Message} Expected PEM: a certificate with its intermediates, its unencrypted private key, and the authorities of client certificates.", inner: e);
        }
    }

    /// <param name="refused">Told why a client's certificate is not accepted.</param>
    public SslServerAuthenticationOptions Options(Action<CloseReason> refused) => new()
    {
        ServerCertificateContext = _certificate,
        ClientCertificateRequired = _clients is not null,
        CertificateChainPolicy = _clients?.Clone(),
        CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
        {
            if (_clients is null || errors == SslPolicyErrors.None) return true;
            if (certificate is null && !_requiresClient) return true;
            refused(certificate is null ? CloseReason.ClientCertificateMissing : CloseReason.ClientCertificateRefused);
            return false;
        },
    };

    /// <summary>The common name of a certificate's subject, or its first DNS name; null when it has neither.</summary>
    public static string? NameOf(X509Certificate2 certificate)
    {
        const string commonName = "2.5.4.3";
        foreach (var part in certificate.SubjectName.EnumerateRelativeDistinguishedNames())
            if (!part.HasMultipleElements && part.GetSingleElementType().Value == commonName && part.GetSingleElementValue() is { Length: > 0 } name) return name;
        return certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().SelectMany(e => e.EnumerateDnsNames()).FirstOrDefault();
    }
}
