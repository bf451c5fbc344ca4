using LeanPipe.Cli.Audits;
using LeanPipe.Contracts;

namespace LeanPipe.Integration.Gateway;

public sealed class LedgerTests : IDisposable
{
    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("leanpipe-ledger-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Sums_of_connections_survive_restarts_and_the_oldest_are_added_up()
    {
        // Small files, so that the first lives are only in checkpoints.
        var options = GatewayUnderTest.Options(_folder.FullName, GatewayUnderTest.Seq with { Limits = GatewayUnderTest.Seq.Limits with { CutAtBytes = 1 } }) with { LogFileBytes = 4096, MaxLogBytes = 1 << 20 };
        for (var life = 0; life < 3; life++)
        {
            await using var gateway = await GatewayUnderTest.StartAsync(options);
            for (var i = 0; i < 120; i++)
            {
                using var sender = await gateway.ConnectAsync();
                await sender.SendAsync(Sender.Line(i) + "\nbad\n{");
                await sender.FinishAsync();
            }
        }

        await using var last = await GatewayUnderTest.StartAsync(options);
        var ledger = last.Ledger;
        LedgerSums.Of(ledger).ShouldBeEmpty();
        ledger.Connections.ShouldBe(360);
        ledger.Records.ShouldBe(360);
        ledger.ByConnection!.Count.ShouldBe(256);
        ledger.ByConnection.Select(c => c.Connection).ShouldBe(Enumerable.Range(105, 256).Reverse().Select(n => (long)n));
        ledger.ByConnection.ShouldAllBe(c => c.Records == 1 && c.Rejects == 1 && c.BytesPartial == 1 && !c.IsOpen);
        ledger.OlderConnections!.Records.ShouldBe(104);
        ledger.ByArrival!.Sum(a => a.Rejects).ShouldBe(360);
        ledger.ByArrival!.Sum(a => a.BytesPartial).ShouldBe(360);
    }

    [Fact]
    public async Task An_open_connection_has_its_own_sums_and_ends_with_the_process_that_had_it()
    {
        var options = GatewayUnderTest.Options(_folder.FullName, GatewayUnderTest.Seq);
        var killed = Path.Combine(_folder.FullName, "killed");
        await using (var gateway = await GatewayUnderTest.StartAsync(options))
        {
            using var sender = await gateway.ConnectAsync();
            await sender.SendAsync(Sender.Line(1) + "\n" + Sender.Line(2) + "\n{");
            await sender.AcknowledgedAsync(2);
            var open = gateway.Ledger.ByConnection!.ShouldHaveSingleItem();
            (open.IsOpen, open.Records, open.BytesReceived, open.BytesPartial).ShouldBe((true, 2, gateway.Ledger.BytesReceived, 0));
            LedgerSums.Of(gateway.Ledger).ShouldBeEmpty();

            // What is on disk now is what a power cut would leave.
            Directory.CreateDirectory(killed);
            foreach (var file in Directory.EnumerateFiles(options.LogDirectory, "*.wal")) File.Copy(file, Path.Combine(killed, Path.GetFileName(file)));
        }
        await using var next = await GatewayUnderTest.StartAsync(options with { LogDirectory = killed });
        next.Ledger.ByConnection!.ShouldHaveSingleItem().IsOpen.ShouldBeFalse();
        LedgerSums.Of(next.Ledger).ShouldBeEmpty();
        next.Ledger.Records.ShouldBe(2);
    }
}
