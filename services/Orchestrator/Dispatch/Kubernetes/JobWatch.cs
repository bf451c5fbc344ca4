using System.Text.Json;
using System.Threading.Channels;

namespace LeanPipe.Orchestrator;

/// <param name="IsPod">A pod of the Job, or the Job itself.</param>
readonly record struct Sighting(bool IsPod, JsonElement Object, bool Gone);

/// <summary>Tells whoever waits for a Job what becomes of it and of its pod.</summary>
/// <remarks>A pod's container has ended seconds before the Job's condition says so; the Job's own word is for pods that are gone.</remarks>
sealed class JobWatch(KubernetesApi api, KubernetesOptions options, TimeProvider time, ILogger<JobWatch> log) : BackgroundService
{
    readonly Lock _sync = new();
    readonly Dictionary<string, Channel<Sighting>> _waiting = [];

    // The last sighting of each, for who begins to wait later: an attempt that an earlier life of this service started.
    readonly Dictionary<(string Job, bool IsPod), Sighting> _last = [];

    /// <summary>What is known of a Job, and from now on everything new. Dispose it to stop.</summary>
    public Waiting Follow(string job)
    {
        var channel = Channel.CreateUnbounded<Sighting>(new() { SingleReader = true });
        lock (_sync)
        {
            _waiting[job] = channel;
            foreach (var isPod in (bool[])[true, false])
                if (_last.TryGetValue((job, isPod), out var last)) channel.Writer.TryWrite(last);
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
        var pods = new ResourceWatch(api, "pods", selector, options, time, log) { Seen = (pod, gone) => Tell(pod.Text("metadata", "labels", "job-name"), new(true, pod, gone)) };
        var jobs = new ResourceWatch(api, "jobs", selector, options, time, log) { Seen = (job, gone) => Tell(job.Name(), new(false, job, gone)) };
        return Task.WhenAll(pods.RunAsync(stoppingToken), jobs.RunAsync(stoppingToken));
    }

    void Tell(string job, Sighting sighting)
    {
        lock (_sync)
        {
            if (sighting.Gone) _last.Remove((job, sighting.IsPod));
            else _last[(job, sighting.IsPod)] = sighting;
            if (_waiting.TryGetValue(job, out var channel)) channel.Writer.TryWrite(sighting);
        }
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
