using LeanPipe.Contracts;
using LeanPipe.Gateway.Log;
using LeanPipe.Gateway.Shipping;
using LeanPipe.Gateway.Windows;
using LeanPipe.Lake;

namespace LeanPipe.Gateway;

/// <summary>Brings the log of a gateway that does not run any more into the lake: what it holds is uploaded and its windows are sealed.</summary>
/// <remarks>
/// The folder's lock keeps it from a log in use. Names of segments come from the log, not from who uploads them, so a log that is adopted twice, or whose gateway comes back later, doubles nothing.
/// Stream documents are not needed: the log has what sealing takes of them.
/// </remarks>
public static class GatewayAdoption
{
    /// <param name="options">The log's folder and the lake; streams are not looked at.</param>
    /// <param name="publish">Hands the event of a sealed window to the sidecar; null leaves the events to whoever opens the log next.</param>
    /// <exception cref="LeanPipeException"><c>gateway.log_empty</c>, or the log is in use or damaged.</exception>
    public static async Task<DrainReport> RunAsync(
        GatewayOptions options, Func<ReadOnlyMemory<byte>, CancellationToken, Task>? publish, ILogger logger, TimeProvider time, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (!Directory.Exists(options.LogDirectory) || !Directory.EnumerateFiles(options.LogDirectory, "*" + LogFormat.FileExtension).Any())
            throw new LeanPipeException("gateway.log_empty", $"There is no log in '{options.LogDirectory}'. Name the folder that the gateway was started with, its --log.");
        var (state, health) = (new GatewayState(time), new GatewayHealth());
        using var log = WriteAheadLog.Open(options, state, health, logger);
        var retries = new Retries(time, TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(30));
        var store = new PatientStore(ObjectStores.Open(options.Lake), health, logger, retries, options.StoreTimeout);
        var shipper = new Shipper(
            log, state, new(options, new Dictionary<int, Intake.StreamIntake>(), log.LogId, time.GetUtcNow()), new(log, store), new(log, state, store, options, logger, time),
            new Dictionary<int, Intake.StreamIntake>(), options, health, time, logger);
        if (log.HasDamage) shipper.Before = new Reconciliation(log, state, store, state.Gateway ?? options.Id, logger).RunAsync;
        var report = await shipper.DrainAsync(seal: true, cancellationToken);
        if (publish is not null && report.Unpublished > 0)
        {
            await new Publisher(log, state, (json, c) => publish(json, c), health, logger, retries).PublishAllAsync(cancellationToken);
            report = report with { Unpublished = 0 };
        }
        return report;
    }
}
