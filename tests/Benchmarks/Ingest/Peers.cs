using System.Diagnostics;
using System.Text.RegularExpressions;

namespace LeanPipe.Benchmarks.Ingest;

/// <summary>The peers that are on this machine: unpacked by peers.sh into LEANPIPE_PEERS (default /var/tmp/leanpipe-peers), or installed.</summary>
static partial class Peers
{
    public const string Python = "/usr/bin/python3";

    static readonly string Folder = Environment.GetEnvironmentVariable("LEANPIPE_PEERS") ?? "/var/tmp/leanpipe-peers";

    public static string? Rsyslogd => Find("usr/sbin/rsyslogd") ?? Installed("/usr/sbin/rsyslogd");

    public static string? SyslogNgd => Find("usr/sbin/syslog-ng") ?? Installed("/usr/sbin/syslog-ng");

    public static IEnumerable<string> Libraries => new[] { "usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu", "usr/lib/syslog-ng", "usr/lib/syslog-ng/3.38" }.Select(Find).OfType<string>();

    public static string? Find(string path) => Path.Combine(Folder, path) is var full && Path.Exists(full) ? full : null;

    /// <summary>Each peer with its version; one that is not there has no server to start. Slow ones are sent a share of the lines, for their cost per line does not depend on the number.</summary>
    public static IEnumerable<(string Name, Func<Server>? Start, double Share)> All()
    {
        var rsyslog = Rsyslogd is { } r ? Version(r, "-v") : null;
        yield return ($"rsyslog {rsyslog}: imtcp, file", rsyslog is null ? null : () => new Rsyslog(checksJson: false), 1);
        yield return ($"rsyslog {rsyslog}: imtcp, mmjsonparse, file", rsyslog is null ? null : () => new Rsyslog(checksJson: true), 0.2);
        var syslogNg = SyslogNgd is { } s ? Version(s, "--version") : null;
        yield return ($"syslog-ng {syslogNg}: network, file", syslogNg is null ? null : () => new SyslogNg(checksJson: false), 1);
        yield return ($"syslog-ng {syslogNg}: network, json-parser, file", syslogNg is null ? null : () => new SyslogNg(checksJson: true), 0.2);
        var pydantic = Path.Exists(Python) ? Version(Python, "-c", "import sys, pydantic; print(f'{pydantic.VERSION} {sys.version.split()[0]}')") : null;
        var versions = pydantic?.Split(' ');
        yield return (versions is [var p, var python] ? $"Python {python}: asyncio, pydantic {p}, file" : "Python: asyncio, pydantic, file", versions is [_, _] ? () => new PydanticServer() : null, 0.1);
    }

    static string? Installed(string path) => Path.Exists(path) ? path : null;

    /// <summary>Null when it cannot be run.</summary>
    static string? Version(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        start.Environment["LD_LIBRARY_PATH"] = string.Join(':', Libraries);
        start.Environment["PYTHONPATH"] = Find("usr/lib/python3/dist-packages");
        using var process = Process.Start(start)!;
        var said = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0) return null;
        var versions = VersionNumber().Matches(said);
        return program == Python ? said.Trim() : versions.Count > 0 ? versions[0].Value : null;
    }

    [GeneratedRegex(@"\d+\.\d+(\.\d+)?", RegexOptions.CultureInvariant)]
    private static partial Regex VersionNumber();
}
