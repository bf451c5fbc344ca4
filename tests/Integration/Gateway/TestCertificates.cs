using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace LeanPipe.Integration.Gateway;

/// <summary>An authority of the test's own and what it issues.</summary>
sealed class TestCertificates : IDisposable
{
    static readonly DateTimeOffset From = DateTimeOffset.UtcNow.AddDays(-30);

    readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public TestCertificates(string name)
    {
        var request = new CertificateRequest($"CN={name}", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        Authority = request.CreateSelfSigned(From, DateTimeOffset.UtcNow.AddYears(1));
    }

    public X509Certificate2 Authority { get; }

    public void WriteAuthority(string path) => File.WriteAllText(path, Authority.ExportCertificatePem());

    /// <summary>Writes a server's certificate and key.</summary>
    public string WriteServer(string certificate, string key, DateTimeOffset? until = null)
    {
        using var issued = Issue("CN=gateway", "1.3.6.1.5.5.7.3.1", until, dns: "localhost");
        File.WriteAllText(certificate, issued.ExportCertificatePem());
        File.WriteAllText(key, issued.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
        return issued.Thumbprint;
    }

    public X509Certificate2 Client(string subject, string? dns = null) => Issue(subject, "1.3.6.1.5.5.7.3.2", null, dns);

    X509Certificate2 Issue(string subject, string usage, DateTimeOffset? until, string? dns)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new(usage)], false));
        if (dns is not null)
        {
            var names = new SubjectAlternativeNameBuilder();
            names.AddDnsName(dns);
            names.AddIpAddress(IPAddress.Loopback);
            request.CertificateExtensions.Add(names.Build());
        }
        using var issued = request.Create(Authority, From, until ?? DateTimeOffset.UtcNow.AddDays(30), RandomNumberGenerator.GetBytes(8));
        return issued.CopyWithPrivateKey(key);
    }

    public void Dispose()
    {
        _key.Dispose();
        Authority.Dispose();
    }
}
