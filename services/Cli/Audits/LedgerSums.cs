using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Cli.Audits;

/// <summary>The sums within one gateway's ledger: from the bytes of a connection to the rows that manifests list. Pure.</summary>
static class LedgerSums
{
    public static IEnumerable<Break> Of(Ledger ledger)
    {
        var key = LakeLayout.Ledger(ledger.Stream, ledger.Gateway);
        foreach (var connection in ledger.ByConnection ?? [])
            foreach (var found in OfConnection($"connection {connection.Connection} of {ledger.Gateway}", connection, key)) yield return found;
        if (ledger.OlderConnections is { } older)
            foreach (var found in OfConnection($"older connections of {ledger.Gateway}", older, key)) yield return found;

        var all = new ConnectionLedger
        {
            BytesReceived = ledger.BytesReceived,
            BytesFramed = ledger.BytesFramed,
            BytesRejected = ledger.BytesRejected,
            BytesPartial = ledger.BytesPartial,
            Frames = ledger.Frames,
            Records = ledger.Records,
            Rejects = ledger.Rejects.Values.Sum(),
        };
        var place = $"connections of {ledger.Gateway}";
        if (ledger.ByConnection is not null)
            foreach (var (what, figure) in Figures)
            {
                var sum = ledger.ByConnection.Append(ledger.OlderConnections ?? new()).Sum(figure);
                foreach (var found in Break.Unless(place, $"{what} of the stream = the sum of its connections", figure(all), sum, key)) yield return found;
            }
        foreach (var found in OfConnection(place, all, key)) yield return found;
        foreach (var found in OfArrivals(ledger, all, key)) yield return found;

        place = $"windows of {ledger.Gateway}";
        foreach (var found in Break.Unless(place, "records = the sum of the windows", ledger.Records, ledger.Windows.Values.Sum() + (ledger.OlderWindows?.Records ?? 0), key)) yield return found;
        foreach (var (window, rows) in ledger.Windows)
        {
            var (stored, listed) = (ledger.Stored?.GetValueOrDefault(window) ?? 0, ledger.Listed?.GetValueOrDefault(window) ?? 0);
            if (stored > rows || stored < 0) yield return new($"window {window} of {ledger.Gateway}", "rows in the store are at most the window's records", rows, stored, key);
            if (listed > stored || listed < 0) yield return new($"window {window} of {ledger.Gateway}", "rows in manifests are at most the rows in the store", stored, listed, key);
        }
    }

    static readonly (string What, Func<ConnectionLedger, long> Figure)[] Figures =
    [
        ("bytes received", c => c.BytesReceived), ("bytes framed", c => c.BytesFramed), ("bytes rejected", c => c.BytesRejected), ("bytes partial", c => c.BytesPartial),
        ("frames", c => c.Frames), ("records", c => c.Records), ("rejects", c => c.Rejects),
    ];

    static IEnumerable<Break> OfArrivals(Ledger ledger, ConnectionLedger all, string key)
    {
        if (ledger.ByArrival is not { } arrivals) yield break;
        foreach (var arrival in arrivals.Append(ledger.OlderArrivals ?? new()))
        {
            var place = arrivals.Contains(arrival) ? $"window of arrival {arrival.Window} of {ledger.Gateway}" : $"older windows of arrival of {ledger.Gateway}";
            foreach (var found in OfConnection(place, SumsOf(arrival), key)) yield return found;
            if (arrival.Stored is { } stored && stored.Rows > arrival.Rejects) yield return new(place, "rejects in the store are at most the window's rejects", arrival.Rejects, stored.Rows, key);
        }
        foreach (var (what, figure) in Figures)
        {
            var sum = arrivals.Append(ledger.OlderArrivals ?? new()).Sum(a => figure(SumsOf(a)));
            foreach (var found in Break.Unless($"windows of arrival of {ledger.Gateway}", $"{what} of the stream = the sum of its windows of arrival", figure(all), sum, key)) yield return found;
        }
    }

    static ConnectionLedger SumsOf(ArrivalLedger arrival) => new()
    {
        BytesReceived = arrival.BytesReceived,
        BytesFramed = arrival.BytesFramed,
        BytesRejected = arrival.BytesRejected,
        BytesPartial = arrival.BytesPartial,
        Frames = arrival.Frames,
        Records = arrival.Records,
        Rejects = arrival.Rejects,
    };

    static IEnumerable<Break> OfConnection(string place, ConnectionLedger c, string key) =>
        Break.Unless(place, "bytes received = framed + rejected + partial", c.BytesReceived, c.BytesFramed + c.BytesRejected + c.BytesPartial, key)
            .Concat(Break.Unless(place, "frames = records + rejects", c.Frames, c.Records + c.Rejects, key));
}
