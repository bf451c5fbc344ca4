using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Orchestrator;

/// <summary>What <c>helm test</c> asks: does the lake keep what ours must keep, and do the services answer.</summary>
static class InstallationCheck
{
    static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    /// <param name="lake">Probed with small objects that are removed again.</param>
    /// <param name="addresses">Each must answer with success.</param>
    /// <returns>0 when all is well, else 1; every finding is a line.</returns>
    public static async Task<int> RunAsync(Func<IObjectStore> lake, IReadOnlyList<string> addresses, TextWriter output)
    {
        var faults = 0;
        try
        {
            var store = lake();
            using var deadline = new CancellationTokenSource(Timeout);
            foreach (var property in (await StoreProbe.RunAsync(store, deadline.Token)).Properties)
                await TellAsync(property.Holds || !property.Required, $"lake {store.Root}: {property.Name}: {property.Detail}");
        }
        catch (Exception e) when (e is LeanPipeException or OperationCanceledException)
        {
            await TellAsync(false, $"lake: {e.Message}");
        }
        using var http = new HttpClient { Timeout = Timeout };
        foreach (var address in addresses)
        {
            try
            {
                using var response = await http.GetAsync(new Uri(address));
                await TellAsync(response.IsSuccessStatusCode, $"{address}: {(int)response.StatusCode}");
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException or UriFormatException or NotSupportedException)
            {
                await TellAsync(false, $"{address}: {e.Message}");
            }
        }
        return faults == 0 ? 0 : 1;

        async Task TellAsync(bool good, string finding)
        {
            if (!good) faults++;
            await output.WriteLineAsync($"{(good ? "ok  " : "FAIL")} {finding}");
        }
    }
}
