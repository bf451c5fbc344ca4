using System.Net.Sockets;
using System.Text;
using LeanPipe.Contracts;

namespace LeanPipe.Integration.Gateway;

/// <summary>Memory is counted over the whole process, so nothing else may run meanwhile.</summary>
[CollectionDefinition("allocations", DisableParallelization = true)]
public sealed class Allocations;

[Collection("allocations")]
public sealed class AllocationTests : IDisposable
{
    const int Block = 1000;

    /// <summary>No object is smaller, so below it most records made none. What is left is of commits, of the shipping loop and of the runtime itself, which count by time.</summary>
    const double MostBytesPerRecord = 24;

    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("leanpipe-allocations-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task From_the_socket_to_the_log_a_record_costs_no_allocation()
    {
        var stream = GatewayUnderTest.Seq with { Ack = AckMode.None, Limits = GatewayUnderTest.Seq.Limits with { CutAtBytes = 1L << 30, CutAfter = TimeSpan.FromHours(1) } };
        await using var gateway = await GatewayUnderTest.StartAsync(GatewayUnderTest.InNormalSizes(GatewayUnderTest.Options(_folder.FullName, stream)) with { MaxCommitDelay = TimeSpan.FromMilliseconds(5) });
        var lines = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, Block).Select(i => Sender.Line(i, "2026-01-01T10:00:00Z") + "\n")));
        Send(gateway, lines, 200);

        const int Blocks = 1000;
        var before = GC.GetTotalAllocatedBytes(precise: true);
        Send(gateway, lines, Blocks);
        var each = (GC.GetTotalAllocatedBytes(precise: true) - before) / (double)(Blocks * Block);
        TestContext.Current.TestOutputHelper?.WriteLine($"{each:0.00} bytes a record");
        each.ShouldBeLessThan(MostBytesPerRecord);
    }

    /// <summary>Blocking, from memory that is there already, so that the sender allocates nothing; returns when the gateway has read everything.</summary>
    static void Send(GatewayUnderTest gateway, byte[] lines, int blocks)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        socket.Connect(gateway.Endpoints.Streams.Values.First());
        for (var i = 0; i < blocks; i++)
            for (var sent = 0; sent < lines.Length;) sent += socket.Send(lines.AsSpan(sent));
        socket.Shutdown(SocketShutdown.Send);
        Span<byte> none = stackalloc byte[1];
        while (socket.Receive(none) > 0)
        {
        }
    }
}
