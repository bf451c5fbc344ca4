using LeanPipe.Cli.Output;

namespace LeanPipe.Cli.Audits;

/// <summary>The two sums and the windows, for people.</summary>
static class AuditPrinter
{
    public static void Write(TextWriter output, Audit audit)
    {
        output.WriteLine($"Ledger of stream {audit.Stream}: {audit.Connections} connections{(audit.Gateways > 1 ? $", {audit.Gateways} gateways" : "")}");
        output.WriteLine($"  bytes   {audit.BytesReceived:N0} received = {audit.BytesFramed:N0} framed + {audit.BytesRejected:N0} rejected + {audit.BytesPartial:N0} partial   {Mark(audit.BytesBalance)}");
        output.WriteLine($"  frames  {audit.Frames:N0} = {audit.Records:N0} records + {audit.Rejects.Values.Sum():N0} rejects   {Mark(audit.FramesBalance)}");
        foreach (var (reason, count) in audit.Rejects) output.WriteLine($"            {count,8:N0} {reason}");
        if (audit.Rejected is { } rejected) output.WriteLine($"  rejects {rejected.Objects:N0} {(rejected.Objects == 1 ? "object" : "objects")} with {rejected.Bytes:N0} bytes below rejected/{(rejected.Taken > 0 ? $"; housekeeping took {rejected.Taken:N0} more" : "")}");
        if (audit.Replayed is { } sum) output.WriteLine($"  replay  {sum:N0} of the rejects became records later, beside those above");
        if (audit.Late > 0) output.WriteLine($"  late    {audit.Late:N0} records came after their window was sealed");
        output.WriteLine();
        TextColumn<WindowAudit>[] replayed = audit.Replayed is null ? [] : [new("REPLAYED", w => w.Replayed, Right: true)];
        TextColumn<WindowAudit>[] remade = audit.Windows.Any(w => w.Remade is not null) ? [new("MADE ANEW", w => w.Remade, Right: true)] : [];
        TextTable.Write(output, audit.Windows, [
            new("WINDOW", w => w.Window), new("RECORDS", w => w.Recorded, Right: true), .. replayed, new("IN THE LAKE", w => w.Stored, Right: true), .. remade,
            new("REVISION", w => w.Revision, Right: true), new("SEGMENTS", w => w.Segments, Right: true), new("STATE", StateOf)]);
        if (audit.Runs.Count > 0)
        {
            output.WriteLine();
            TextTable.Write(
                output, audit.Runs, new("RUN", r => r.Run), new("ROWS READ", r => r.RowsRead, Right: true), new("DUPLICATES", r => r.Steps.Any(s => s.Duplicates is not null) ? r.Duplicates : null, Right: true),
                new("PUBLISHED", r => string.Join(", ", r.Published.Select(p => $"{p.Rows} to {p.Table}"))), new("STATE", r => r.Behind ? "of an older revision" : "newest"));
        }
        if (audit.Breaks.Count == 0) return;
        output.WriteLine();
        output.WriteLine($"The first place where a sum breaks is the {audit.Breaks[0]}");
        foreach (var found in audit.Breaks.Skip(1).Take(20)) output.WriteLine($"  then the {found}");
        if (audit.Breaks.Count > 21) output.WriteLine($"  and {audit.Breaks.Count - 21} more.");
    }

    static string StateOf(WindowAudit window) => !window.Holds ? "MISMATCH" : window.Stored is null ? "open" : window.IsOpen ? "late records not sealed yet" : "equal";

    static string Mark(bool holds) => holds ? "balances" : "DOES NOT BALANCE";
}
