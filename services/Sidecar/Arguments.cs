using System.Globalization;
using LeanPipe.Sidecar.Jobs;

namespace LeanPipe.Sidecar;

/// <summary>The flags of the program; they are daprd's where daprd has one.</summary>
static class Arguments
{
    public const string Help = """
        LeanPipe.Sidecar [flags]: a Dapr sidecar for one machine.

          --app-id ID                  the app behind it; leanpipe
          --app-port PORT              where the app takes messages, jobs and ticks; none
          --dapr-http-port PORT        REST; 3500, 0 = any free one
          --dapr-grpc-port PORT        gRPC; 50001, 0 = any free one
          --metrics-port PORT          GET /metrics and nothing else, without the token; none: it is on the REST port, with the token
          --listen-address ADDRESS     an IP address; 127.0.0.1
          --max-body-size SIZE         largest message, such as 4Mi; 4Mi
          --state-directory FOLDER     belongs to this sidecar alone; .leanpipe/sidecar

          --app ID[=PORT]              one more app for workflows, with a gRPC port of its own (any free one); may be repeated
          --cron NAME[/ROUTE]=SCHEDULE a cron binding, such as 'tick=@every 15s' or 'night/jobs/night=0 0 3 * * *'; may be repeated

          --retention-completed AGE    finished workflow instances are forgotten after it: 168h, never = kept; 168h
          --retention-failed AGE       720h
          --retention-terminated AGE   720h

        Environment: DAPR_API_TOKEN is required of every caller when set; APP_API_TOKEN is sent to the app when set.
        The log's first line names the ports. Exit codes: 0 stopped, 1 the state can no longer be written, 2 a flag is wrong.
        """;

    /// <summary>Options without tokens, or what is wrong with each flag.</summary>
    public static (SidecarOptions? Options, IReadOnlyList<string> Errors) Parse(IReadOnlyList<string> args)
    {
        var options = new SidecarOptions { StateDirectory = Path.Combine(".leanpipe", "sidecar") };
        var errors = new List<string>();
        for (var i = 0; i < args.Count; i++)
        {
            var (flag, given) = args[i].StartsWith("--", StringComparison.Ordinal) && args[i].IndexOf('=', StringComparison.Ordinal) is > 0 and var at
                ? (args[i][..at], args[i][(at + 1)..])
                : (args[i], null);
            if (!Flags.TryGetValue(flag, out var read))
                errors.Add($"'{flag}' is no flag.");
            else if (given is null && i + 1 == args.Count)
                errors.Add($"{flag} has no value.");
            else if (read(options, given ?? args[++i]) is { } changed)
                options = changed;
            else
                errors.Add($"{flag} cannot be '{given ?? args[i]}'.");
        }

        return errors.Count == 0 ? (options, []) : (null, errors);
    }

    // Null = not a value of this flag.
    static readonly Dictionary<string, Func<SidecarOptions, string, SidecarOptions?>> Flags = new(StringComparer.Ordinal)
    {
        ["--app-id"] = (o, v) => o with { AppId = v },
        ["--app-port"] = (o, v) => Port(v) is > 0 and var port ? o with { AppPort = port } : null,
        ["--dapr-http-port"] = (o, v) => Port(v) is { } port ? o with { HttpPort = port } : null,
        ["--dapr-grpc-port"] = (o, v) => Port(v) is { } port ? o with { GrpcPort = port } : null,
        ["--metrics-port"] = (o, v) => Port(v) is { } port ? o with { MetricsPort = port } : null,
        ["--listen-address"] = (o, v) => o with { ListenAddress = v },
        ["--max-body-size"] = (o, v) => Bytes(v) is { } bytes ? o with { MaxMessageBytes = bytes } : null,
        ["--state-directory"] = (o, v) => o with { StateDirectory = v },
        ["--app"] = (o, v) => App(v) is { } app ? o with { Apps = [.. o.Apps, app] } : null,
        ["--cron"] = (o, v) => Cron(v) is { } binding ? o with { CronBindings = [.. o.CronBindings, binding] } : null,
        ["--retention-completed"] = (o, v) => TryAge(v, out var age) ? o with { Retention = o.Retention with { Completed = age } } : null,
        ["--retention-failed"] = (o, v) => TryAge(v, out var age) ? o with { Retention = o.Retention with { Failed = age } } : null,
        ["--retention-terminated"] = (o, v) => TryAge(v, out var age) ? o with { Retention = o.Retention with { Terminated = age } } : null,
    };

    static int? Port(string text) => ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) ? port : null;

    static SidecarAppOptions? App(string text)
    {
        var parts = text.Split('=', 2);
        return parts.Length == 1 ? new SidecarAppOptions(parts[0]) : Port(parts[1]) is { } port ? new SidecarAppOptions(parts[0], port) : null;
    }

    // A schedule has no '=' but that of CRON_TZ=; a name has none at all, and no slash.
    static CronBinding? Cron(string text)
    {
        var parts = text.Split('=', 2);
        if (parts.Length == 1)
            return null;
        var slash = parts[0].IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? new CronBinding(parts[0], parts[1]) : new CronBinding(parts[0][..slash], parts[1], parts[0][slash..]);
    }

    static bool TryAge(string text, out TimeSpan? age)
    {
        age = null;
        if (text == "never")
            return true;
        if (!JobTimes.TryGoDuration(text, out var duration))
            return false;
        age = duration;
        return true;
    }

    static int? Bytes(string text)
    {
        var (number, unit) = text switch
        {
            [.. var n, 'K', 'i'] => (n, 1024L),
            [.. var n, 'M', 'i'] => (n, 1024L * 1024),
            [.. var n, 'G', 'i'] => (n, 1024L * 1024 * 1024),
            _ => (text, 1L),
        };
        return int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count * unit is > 0 and <= int.MaxValue and var bytes ? (int)bytes : null;
    }
}
