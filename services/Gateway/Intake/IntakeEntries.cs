using System.Runtime.InteropServices;
using System.Text;
using LeanPipe.Gateway.Log;
using LeanPipe.Gateway.Validation;

namespace LeanPipe.Gateway.Intake;

/// <summary>What became of a connection's bytes, as entries of the log.</summary>
static class IntakeEntries
{
    public static void WriteRead(LogBatch batch, int stream, long connection, long received, int blank, Arrival arrival)
    {
        new ReadEntry(stream, (int)Math.Min(received, int.MaxValue), blank, connection, arrival).Write(batch.Add(EntryKind.Read, ReadEntry.Bytes));

        // A skipped frame may be longer than one entry can say.
        for (var more = received - int.MaxValue; more > 0; more -= int.MaxValue)
            new ReadEntry(stream, (int)Math.Min(more, int.MaxValue), 0, connection, arrival).Write(batch.Add(EntryKind.Read, ReadEntry.Bytes));
    }

    /// <param name="wire">What runs that are not rewritten stand in.</param>
    public static void WriteRuns(LogBatch batch, int stream, long connection, List<Run> runs, ReadOnlySpan<byte> rewritten, ReadOnlySpan<byte> wire)
    {
        foreach (ref readonly var run in CollectionsMarshal.AsSpan(runs))
        {
            var lines = (run.IsRewritten ? rewritten : wire).Slice(run.Offset, run.Length);
            if (run.Code == RejectCode.None)
            {
                var body = batch.Add(EntryKind.Records, RecordsEntry.HeadBytes + lines.Length);
                new RecordsEntry(stream, run.WindowMinutes, run.Rows, run.WindowTicks, run.MaxEventTicks, connection, (int)run.WireBytes).Write(body);
                lines.CopyTo(body[RecordsEntry.HeadBytes..]);
                continue;
            }
            var code = run.Code.Text();
            var reject = batch.Add(EntryKind.Reject, RejectEntry.HeadBytes + code.Length + lines.Length);
            new RejectEntry(stream, run.WindowMinutes, code.Length, run.WindowTicks, connection, run.WireBytes).Write(reject);
            Encoding.ASCII.GetBytes(code, reject[RejectEntry.HeadBytes..]);
            lines.CopyTo(reject[(RejectEntry.HeadBytes + code.Length)..]);
        }
    }
}
