using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using LeanPipe.Contracts;
using LeanPipe.Gateway.Log;
using LeanPipe.Gateway.Windows;

namespace LeanPipe.Unit.Gateway;

public sealed class OlderWindowsTests
{
    static readonly long Start = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc).Ticks;

    readonly GatewayState _state = new(TimeProvider.System);
    long _position;

    public OlderWindowsTests() => Apply(EntryKind.StreamDeclared, new(0, new("s")), LogJson.Default.StreamDeclared);

    [Fact]
    public void A_hundred_days_of_minute_windows_keep_a_bounded_checkpoint_and_the_ledgers_sums()
    {
        const int Minutes = 100 * 24 * 60;
        for (var minute = 0; minute < Minutes; minute++) Seal(minute);

        var checkpoint = JsonSerializer.SerializeToUtf8Bytes(_state.ToCheckpoint(), LogJson.Default.CheckpointEntry);
        checkpoint.Length.ShouldBeLessThan(256 * 1024);
        var ledger = _state.Streams[0].ToLedger("g", default);
        ledger.Windows.Count.ShouldBeInRange(1_440, 1_921);
        (ledger.Windows.Values.Sum() + ledger.OlderWindows!.Records).ShouldBe(ledger.Records);
        (ledger.Records, ledger.Late).ShouldBe((Minutes, 0));

        // What is read back from the checkpoint goes on in the same way.
        var again = new GatewayState(TimeProvider.System);
        again.Apply(EntryKind.Checkpoint, checkpoint, 0);
        JsonSerializer.SerializeToUtf8Bytes(again.ToCheckpoint(), LogJson.Default.CheckpointEntry).ShouldBe(checkpoint);
    }

    [Fact]
    public void Late_records_of_a_forgotten_window_are_late_and_are_added_to_the_sum_once_they_are_listed()
    {
        for (var minute = 0; minute < 4_000; minute++) Seal(minute);
        Record(5);
        var ledger = _state.Streams[0].ToLedger("g", default);
        (ledger.Late, ledger.Windows["2026-01-01T0005"], ledger.Listed!["2026-01-01T0005"]).ShouldBe((1, 1, 0));
        (ledger.Windows.Values.Sum() + ledger.OlderWindows!.Records).ShouldBe(4_001);
        Ship(5, revision: 2);
        for (var minute = 4_000; minute < 5_000; minute++) Seal(minute);
        ledger = _state.Streams[0].ToLedger("g", default);
        ledger.Windows.Keys.ShouldNotContain("2026-01-01T0005");
        (ledger.Windows.Values.Sum() + ledger.OlderWindows!.Records).ShouldBe(5_001);
    }

    void Seal(int minute)
    {
        Record(minute);
        Ship(minute, revision: 1);
    }

    void Record(int minute)
    {
        var line = "{}\n"u8;
        var body = new byte[RecordsEntry.HeadBytes + line.Length];
        var ticks = Start + minute * TimeSpan.TicksPerMinute;
        new RecordsEntry(0, 1, 1, ticks, ticks, 1, line.Length).Write(body);
        line.CopyTo(body.AsSpan(RecordsEntry.HeadBytes));
        _state.Apply(EntryKind.Records, body, _position += 100);
    }

    void Ship(int minute, int revision)
    {
        var lane = new LaneKey(0, false, Start + minute * TimeSpan.TicksPerMinute, 1);
        var segment = $"g-0000000000000000-{0:D20}";
        Apply(EntryKind.Cut, new(lane, long.MaxValue, segment), LogJson.Default.CutEntry);
        Apply(EntryKind.Stored, new(lane, segment, new(segment, 3, 1, "")), LogJson.Default.StoredEntry);
        Apply(EntryKind.Sealing, new(lane, revision, "watermark", default, 1), LogJson.Default.SealingEntry);
        Apply(EntryKind.Sealed, new(lane, revision), LogJson.Default.SealedEntry);
        Apply(EntryKind.Published, new(lane, revision), LogJson.Default.PublishedEntry);
    }

    void Apply<T>(EntryKind kind, T entry, JsonTypeInfo<T> type) => _state.Apply(kind, JsonSerializer.SerializeToUtf8Bytes(entry, type), _position += 100);
}
