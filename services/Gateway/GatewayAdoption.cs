using LeanPipe.Contracts;
using LeanPipe.Gateway.Intake;
using LeanPipe.Gateway.Log;
using LeanPipe.Gateway.Shipping;
using LeanPipe.Gateway.Windows;
using LeanPipe.Lake;

namespace LeanPipe.Gateway;

/// <summary>Brings the log of a gateway that does not run any more into the lake: frames are validated, what it holds is uploaded, its windows are sealed.</summary>
/// <remarks>
/// The folder's lock keeps it from a log in use. Names of segments come from the log, not from who uploads them, so a log that is adopted twice, or whose gateway comes back later, doubles nothing.
/// The log has what sealing takes of the stream documents. Validating takes the documents themselves: frames of a stream that has none here stay in the log.
/// </remarks>
public static class GatewayAdoption
{
    /// <param name="options">The log's folder, the lake, and the documents of streams that validate after writing.</param>
    /// <param name="publish">Hands the event of a sealed window to the sidecar; null leaves the events to whoever opens the log next.</param>
    /// <exception cref="LeanPipeException"><c>gateway.log_empty</c>, or the log is in use or damaged.</exception>
    public static async Task<DrainReport> RunAsync(
        GatewayOptions options, Func<ReadOnlyMemory<byte>, CancellationToken, Task>? publish, ILogger logger, TimeProvider time, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (!Directory.Exists(options.LogDirectory) || !Directory.EnumerateFiles(options.LogDirectory, "*" + LogFormat.FileExtension).Any())
            throw new LeanPipeException("gateway.log_empty", $"There is no log in '{options.LogDirectory}'. Name the folder that the gateway was started with, its --log.");
        var (state, health) = (new GatewayState(time, options.RememberedWindows), new GatewayHealth());
        using var log = WriteAheadLog.Open(options, state, health, logger);
        var intakes = IntakesOf(options, state, time);
        var retries = new Retries(time, TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(30));
        var store = new PatientStore(ObjectStores.Open(options.Lake), health, logger, retries, options.StoreTimeout);
        var shipper = new Shipper(
            log, state, new(options, intakes, log.LogId, time.GetUtcNow()), new(log, store), new(log, state, store, options, logger, time), intakes, options, health, time, logger);
        if (log.HasDamage) shipper.Before = new Reconciliation(log, state, store, state.Gateway ?? options.Id, logger).RunAsync;
        using (var validation = new BackgroundValidation(log, state, intakes, options, health, time, logger)) await validation.CatchUpAsync(cancellationToken);
        var report = await shipper.DrainAsync(seal: true, cancellationToken);
        if (publish is not null && report.Unpublished > 0)
        {
            await new Publisher(log, state, (json, c) => publish(json, c), health, logger, retries).PublishAllAsync(cancellationToken);
            report = report with { Unpublished = 0 };
        }
        return report;
    }

    /// <summary>The log's streams that have a document, as the gateway itself would know them. Nobody goes on with its connections.</summary>
    static Dictionary<int, StreamIntake> IntakesOf(GatewayOptions options, GatewayState state, TimeProvider time)
    {
        lock (state.Sync)
        {
            foreach (var stream in state.Streams) stream.EndConnections();
            return state.Streams.Join(options.Streams, s => s.Name, d => d.Name, (s, d) => (s.Number, d)).ToDictionary(s => s.Number, s => new StreamIntake(s.d, s.Number, time.GetUtcNow()));
        }
    }
}
