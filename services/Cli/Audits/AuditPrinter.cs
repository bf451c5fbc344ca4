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
        if (audit.Late > 0) output.WriteLine($"  late    {audit.Late:N0} records came after their window was sealed");
        output.WriteLine();
        TextTable.Write(
            output, audit.Windows, new("WINDOW", w => w.Window), new("RECORDS", w => w.Recorded, Right: true), new("IN THE LAKE", w => w.Stored, Right: true),
            new("REVISION", w => w.Revision, Right: true), new("SEGMENTS", w => w.Segments, Right: true), new("STATE", StateOf));
        foreach (var segment in audit.Windows.SelectMany(w => w.Missing)) output.WriteLine($"missing or of another size: {segment}");
        if (!audit.RecordsBalance) output.WriteLine($"The windows hold {audit.Windows.Sum(w => w.Recorded):N0} records, the ledger counts {audit.Records:N0}.");
    }

    static string StateOf(WindowAudit window) => !window.Holds ? "MISMATCH" : window.Stored is null ? "open" : window.IsOpen ? "late records not sealed yet" : "equal";

    static string Mark(bool holds) => holds ? "balances" : "DOES NOT BALANCE";
}
