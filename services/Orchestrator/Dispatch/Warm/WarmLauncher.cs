using System.Net;
using System.Net.Sockets;
using LeanPipe.Contracts;
using LeanPipe.Lake;

namespace LeanPipe.Orchestrator;

/// <summary>Small tasks go to step runners that are kept running; everything else, and what none of them takes, to the launcher that makes a container for each.</summary>
/// <remarks>
/// An attempt is either taken, by one connection, or it has not begun: only then it is offered elsewhere under the same number. When the connection ends before the
/// attempt does, it is a crash like any other: its prefix is left alone, and the next number is a container of its own, as is every attempt but the first. So what a warm
/// step runner cannot do (for want of memory, because its pod is evicted) costs one attempt and ends as it would without any. Nothing is handed over to a next life of
/// this service: hanging up ends the attempt.
/// </remarks>
sealed class WarmLauncher(
    ILauncher each, WarmOptions warm, OrchestratorOptions options, IObjectStore lake, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<WarmLauncher> log) : ILauncher
{
    readonly WarmPods _pods = new(warm, time, log);

    public async Task<LaunchEnd> RunAsync(TaskAttempt attempt, Action<string> output, CancellationToken cancel)
    {
        lifetime.ApplicationStopping.ThrowIfCancellationRequested();
        if (Fits(attempt))
            foreach (var pod in await _pods.IdleAsync(lifetime.ApplicationStopping))
                if (await OfferAsync(attempt, pod, output, cancel) is { } end) return end;
        return await each.RunAsync(attempt, output, cancel);
    }

    public Task<LaunchEnd?> AttachAsync(TaskAttempt attempt) => each.AttachAsync(attempt);

    bool Fits(TaskAttempt attempt) =>
        attempt is { Attempt: 1, MoreMemory: false } && attempt.InputBytes <= warm.MaxInputBytes && attempt.Limits.MemoryBytes <= options.EffectiveLimits.MemoryBytes;

    /// <returns>Null when the attempt has not begun there.</returns>
    async Task<LaunchEnd?> OfferAsync(TaskAttempt attempt, IPEndPoint pod, Action<string> output, CancellationToken cancel)
    {
        if (!_pods.Take(pod)) return null;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, lifetime.ApplicationStopping);
        try
        {
            if (await ConnectAsync(pod, either.Token) is not { } client) return null;
            using (client) return await AskAsync(attempt, pod, client, output, either.Token);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested && !lifetime.ApplicationStopping.IsCancellationRequested)
        {
            return new(143, false, "");
        }
        finally
        {
            _pods.Return(pod);
        }
    }

    async Task<TcpClient?> ConnectAsync(IPEndPoint pod, CancellationToken cancellation)
    {
        var client = new TcpClient(pod.AddressFamily) { NoDelay = true };
        using var deadline = new Deadline(warm.ConnectWithin, time, cancellation);
        try
        {
            await client.ConnectAsync(pod, deadline.Token);
            return client;
        }
        catch (Exception e) when (e is SocketException || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            client.Dispose();
            log.WarmPassedOver(pod, e.Message);
            return null;
        }
    }

    async Task<LaunchEnd?> AskAsync(TaskAttempt attempt, IPEndPoint pod, TcpClient client, Action<string> output, CancellationToken cancellation)
    {
        try
        {
            await using var stream = client.GetStream();
            var request = new WarmRequest(WarmWire.Release, warm.Token, lake.Root, attempt.Document ?? LakeLayout.LoneTask(attempt.Run, attempt.Step, attempt.Task), attempt.Attempt, attempt.Timeout);
            await stream.WriteAsync(WarmWire.Line(request), cancellation);
            using var lines = new StreamReader(stream);
            while (true)
            {
                using var silence = new Deadline(warm.Silence, time, cancellation);
                if (await lines.ReadLineAsync(silence.Token) is not { } line) return Lost("the connection ended");
                switch (WarmWire.Reply(System.Text.Encoding.UTF8.GetBytes(line)))
                {
                    case { State: WarmState.Taken }:
                        log.WarmTaken(attempt, pod);
                        break;
                    case { State: WarmState.Busy }:
                        log.WarmPassedOver(pod, "another attempt runs there");
                        return null;
                    case { State: WarmState.Refused, Text: var reason }:
                        log.WarmRefused(pod, reason ?? "no reason given");
                        return null;
                    case { State: WarmState.Output, Text: { } text }:
                        output(text);
                        break;
                    case { State: WarmState.Ended, ExitCode: { } code } end:
                        return await KeepLogAsync(attempt, pod, new(code, end.TimedOut ?? false, end.Text ?? ""));
                }
            }
        }
        catch (Exception e) when (e is IOException or SocketException || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            return Lost(e is OperationCanceledException ? $"it said nothing for {warm.Silence}" : e.Message);
        }

        LaunchEnd Lost(string why)
        {
            log.WarmLost(attempt, pod, why);
            return new(-1, false, "", new("task.warm_lost", $"The warm step runner at {pod} was gone before the attempt ended: {why}.", Transient: true));
        }
    }

    /// <summary>The end of a failed attempt's log, as a Job's is kept.</summary>
    async Task<LaunchEnd> KeepLogAsync(TaskAttempt attempt, IPEndPoint pod, LaunchEnd end)
    {
        if (end.ExitCode == 0 || end.ErrorTail.Length == 0) return end;
        try
        {
            await lake.PutAsync(LakeLayout.AttemptLog(attempt.Run, attempt.Step, attempt.Task, attempt.Attempt), System.Text.Encoding.UTF8.GetBytes(end.ErrorTail), CancellationToken.None);
        }
        catch (Exception e) when (e is IOException or LeanPipeException)
        {
            // The attempt's end is not held up for it.
            log.LogNotKept(attempt, pod.ToString(), e.Message);
        }
        return end;
    }
}
