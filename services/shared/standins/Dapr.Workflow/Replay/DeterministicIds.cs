using System.Security.Cryptography;
using System.Text;

namespace Dapr.Workflow.Replay;

/// <summary>Ids that a replay makes again, byte for byte those of the official worker: UUID version 5 under a namespace of the instance.</summary>
sealed class DeterministicIds
{
    // Fixed by the official worker; another value would break instances that move between the two.
    static readonly Guid Root = new("6f927a2e-9c7e-4a1d-9b8d-7a86f2e7f62f");

    readonly Guid _namespace;
    readonly string _instanceId;
    int _guids;

    public DeterministicIds(string instanceId, string? executionId)
    {
        var seed = string.IsNullOrWhiteSpace(executionId) ? instanceId : executionId;
        _instanceId = instanceId;
        _namespace = Guid.TryParse(seed, out var guid) ? guid : Version5(Root, seed);
    }

    public Guid NextGuid() => Version5(_namespace, $"{_instanceId}_{_guids++}");

    /// <summary>32 hexadecimal digits.</summary>
    public string TaskExecution(int taskId, string name) => Version5(_namespace, $"{_instanceId}|activity|{taskId}|{name}").ToString("N");

    /// <summary>RFC 9562, section 5.5: SHA-1 over the namespace in network byte order and the name in UTF-8.</summary>
    internal static Guid Version5(Guid space, string name)
    {
        Span<byte> hash = stackalloc byte[SHA1.HashSizeInBytes];
        SHA1.HashData([.. space.ToByteArray(bigEndian: true), .. Encoding.UTF8.GetBytes(name)], hash);
        hash[6] = (byte)((hash[6] & 0x0F) | 0x50);
        hash[8] = (byte)((hash[8] & 0x3F) | 0x80);
        return new Guid(hash[..16], bigEndian: true);
    }
}
