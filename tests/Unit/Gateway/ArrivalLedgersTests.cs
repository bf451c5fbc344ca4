using LeanPipe.Cli.Audits;
using LeanPipe.Contracts;
using LeanPipe.Gateway.Log;
using LeanPipe.Gateway.Windows;

namespace LeanPipe.Unit.Gateway;

public sealed class ArrivalLedgersTests
{
    static readonly long Ten = new DateTime(2026, 1, 1, 10, 0, 0, DateTimeKind.Utc).Ticks;

    readonly GatewayState _state = new(TimeProvider.System);
    long _position;

    public ArrivalLedgersTests() => Apply(EntryKind.StreamDeclared, System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(new(0, new("s")), LogJson.Default.StreamDeclared));

    Ledger Ledger => _state.Streams[0].ToLedger("g", default);

    static Arrival Minute(int minute) => new(Ten + minute * TimeSpan.TicksPerMinute, 1);

    void Apply(EntryKind kind, ReadOnlySpan<byte> body) => _state.Apply(kind, body, _position += 1000);

    /// <summary>100 bytes: a record of 60, a reject of 30, an empty frame of 10.</summary>
    void Portion(int minute)
    {
        var read = new byte[ReadEntry.Bytes];
        new ReadEntry(0, 100, 10, 1, Minute(minute)).Write(read);
        Apply(EntryKind.Read, read);
        var record = new byte[RecordsEntry.HeadBytes + 5];
        new RecordsEntry(0, 60, 1, Ten, Ten, 1, 60).Write(record);
        Apply(EntryKind.Records, record);
        var reject = new byte[RejectEntry.HeadBytes + 6];
        new RejectEntry(0, 1, 1, Minute(minute).Ticks, 1, 30).Write(reject);
        Apply(EntryKind.Reject, reject);
    }

    void Store(int minute)
    {
        var lane = new LaneKey(0, Rejected: true, Minute(minute).Ticks, 1);
        var sha256 = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData([(byte)minute]));
        Apply(EntryKind.Cut, System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(new(lane, _position + 1, $"s{minute}"), LogJson.Default.CutEntry));
        Apply(EntryKind.Stored, System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(new(lane, $"s{minute}", new($"s{minute}", 5, 1, sha256)), LogJson.Default.StoredEntry));
    }

    void Restore()
    {
        var checkpoint = System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(_state.ToCheckpoint(), LogJson.Default.CheckpointEntry);
        _state.Doubt(0);
        Apply(EntryKind.Checkpoint, checkpoint);
    }

    [Fact]
    public void Every_window_of_arrival_balances_and_the_oldest_are_added_up_over_checkpoints_too()
    {
        for (var minute = 0; minute < ArrivalLedgers.KeptWindows + 10; minute++)
        {
            Portion(minute);
            if (minute % 3 == 0) Store(minute);
            if (minute % 50 == 0) Restore();
        }
        var ledger = Ledger;
        LedgerSums.Of(ledger).ShouldBeEmpty();
        ledger.ByArrival!.Count.ShouldBe(ArrivalLedgers.KeptWindows);
        ledger.ByArrival.ShouldAllBe(a => a.BytesReceived == 100 && a.BytesFramed == 70 && a.BytesRejected == 30 && a.Records == 1 && a.Rejects == 1);
        ledger.ByArrival[0].Window.ShouldBe("2026-01-01T1010");
        (ledger.OlderArrivals!.Window, ledger.OlderArrivals.Rejects, ledger.OlderArrivals.Stored!.Rows, ledger.OlderArrivals.Stored.Objects).ShouldBe(("2026-01-01T1009", 10, 4, 4));

        // Stored, and arrived, so late that the window is in the sum.
        Store(1);
        Portion(1);
        Ledger.OlderArrivals!.Stored!.Rows.ShouldBe(5);
        Ledger.OlderArrivals.Rejects.ShouldBe(11);
        LedgerSums.Of(Ledger).ShouldBeEmpty();
    }

    [Fact]
    public void The_digest_of_a_window_does_not_depend_on_the_order_of_its_objects()
    {
        Portion(0);
        Portion(1);
        Store(0);
        Store(1);
        var digests = Ledger.ByArrival!.Select(a => a.Stored!.Digest).ToList();
        digests.Distinct().Count().ShouldBe(2);
        digests[0].ShouldBe(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData([0])));
    }

    [Fact]
    public void Entries_and_checkpoints_without_a_time_of_arrival_count_in_the_sum_of_older_ones()
    {
        var read = new byte[ReadEntry.Bytes];
        new ReadEntry(0, 40, 40, 1, default).Write(read);
        Apply(EntryKind.Read, read.AsSpan(0, 20));
        Ledger.ByArrival.ShouldBeEmpty();
        Ledger.OlderArrivals!.BytesReceived.ShouldBe(40);

        Portion(0);
        var checkpoint = _state.ToCheckpoint();
        checkpoint = checkpoint with { Streams = [checkpoint.Streams[0] with { ByArrival = null, OlderArrivals = null }] };
        _state.Doubt(0);
        Apply(EntryKind.Checkpoint, System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(checkpoint, LogJson.Default.CheckpointEntry));
        Portion(1);
        (Ledger.OlderArrivals!.BytesReceived, Ledger.OlderArrivals.Stored).ShouldBe((140, null));
        LedgerSums.Of(Ledger).ShouldBeEmpty();
    }

    [Fact]
    public void A_window_of_arrival_that_does_not_balance_is_named()
    {
        Portion(0);
        var ledger = Ledger with { ByArrival = [Ledger.ByArrival![0] with { BytesRejected = 31 }] };
        LedgerSums.Of(ledger).First().Place.ShouldBe("window of arrival 2026-01-01T1000 of g");
    }
}
