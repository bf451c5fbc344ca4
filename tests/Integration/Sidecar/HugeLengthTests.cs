using System.Buffers.Binary;
using LeanPipe.DaprWire;

namespace LeanPipe.Integration.Sidecar;

[Collection("allocations")]
public sealed class HugeLengthTests
{
    [Theory]
    [InlineData(5u * 1024 * 1024)]
    [InlineData(uint.MaxValue)]
    public async Task A_huge_announced_length_is_refused_before_anything_is_read_for_it(uint length)
    {
        await using var sidecar = await SidecarApp.StartAsync();
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{sidecar.Endpoints.GrpcPort}") };
        var prefix = new byte[GrpcFrames.PrefixBytes];
        BinaryPrimitives.WriteUInt32BigEndian(prefix.AsSpan(1), length);
        var before = GC.GetTotalAllocatedBytes();
        for (var i = 0; i < 100; i++)
            (await GrpcFuzzTests.StatusAsync(http, TaskHubPaths.StartInstance, prefix)).ShouldBe(GrpcStatusCode.ResourceExhausted);
        (GC.GetTotalAllocatedBytes() - before).ShouldBeLessThan(100L * 1024 * 1024);
    }
}
