using System.Text.Json;
using System.Threading.Channels;

namespace LeanPipe.Orchestrator;

enum Sighted
{
    Pod,
    Job,

    /// <summary>Nothing in particular, but something may have been missed: look for yourself.</summary>
    Gap,
}

readonly record struct Sighting(Sighted What, JsonElement Object, bool Gone);

/// <summary>Tells whoever waits for a Job what becomes of it and of its pod.</summary>
/// <remarks>A pod's container has ended seconds before the Job's condition says so; the Job's own word is for pods that are gone.</remarks>
sealed class JobWatch(KubernetesApi api, KubernetesOptions options, TimeProvider time, ILogger<JobWatch> log) : BackgroundService
{
    readonly Lock _sync = new();
    readonly Dictionary<string, Channel<Sighting>> _waiting = [];

    // The last sighting of each, for who begins to wait later: an attempt that an earlier life of this service started.
    readonly Dictionary<(string Job, Sighted What), Sighting> _last = [];

    /// <summary>What is known of a Job, and from now on everything new. Dispose it to stop.</summary>
    public Waiting Follow(string job)
    {
        var channel = Channel.CreateUnbounded<Sighting>(new() { SingleReader = true });
        lock (_sync)
        {
            _waiting[job] = channel;
            foreach (var what in (Sighted[])[Sighted.Pod, Sighted.Job])
                if (_last.TryGetValue((job, what), out var last)) channel.Writer.TryWrite(last);
        }
        return new(channel.Reader, () =>
        {
            lock (_sync)
                if (_waiting.GetValueOrDefault(job) == channel) _waiting.Remove(job);
        });
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var selector = $"{TaskJob.OwnerLabel}={options.Owner}";
        var pods = new ResourceWatch(api, "pods", selector, options, time, log) { Seen = (pod, gone) => Tell(pod.Text("metadata", "labels", "job-name"), new(Sighted.Pod, pod, gone)), Missed = TellGap };
        var jobs = new ResourceWatch(api, "jobs", selector, options, time, log) { Seen = (job, gone) => Tell(job.Name(), new(Sighted.Job, job, gone)), Missed = TellGap };
        return Task.WhenAll(pods.RunAsync(stoppingToken), jobs.RunAsync(stoppingToken));
    }

    void Tell(string job, Sighting sighting)
    {
        lock (_sync)
        {
            if (sighting.Gone) _last.Remove((job, sighting.What));
            else _last[(job, sighting.What)] = sighting;
            if (_waiting.TryGetValue(job, out var channel)) channel.Writer.TryWrite(sighting);
        }
    }

    void TellGap()
    {
        lock (_sync)
            foreach (var channel in _waiting.Values) channel.Writer.TryWrite(new(Sighted.Gap, default, false));
    }
}

sealed class Waiting(ChannelReader<Sighting> sightings, Action stop) : IDisposable
{
    /// <summary>The next sighting, or null when none came by then.</summary>
    public async Task<Sighting?> NextAsync(TimeSpan within, TimeProvider time, CancellationToken cancellation)
    {
        if (sightings.TryRead(out var ready)) return ready;
        if (within <= TimeSpan.Zero) return null;
        using var deadline = new Deadline(within, time, cancellation);
        try
        {
            return await sightings.ReadAsync(deadline.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return null;
        }
    }

    public void Dispose() => stop();
}
