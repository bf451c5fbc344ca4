using System.Diagnostics;

namespace LeanPipe.Benchmarks.Ingest;

/// <summary>Another program that takes lines over TCP and writes them into a file, set up as its own documentation advises for throughput. None of them calls fsync.</summary>
abstract class PeerServer : Server
{
    protected string Output => Path.Combine(Folder.FullName, "out.ndjson");

    protected override async Task<ProcessStartInfo> PrepareAsync()
    {
        var start = await PreparePeerAsync();
        start.Environment["LD_LIBRARY_PATH"] = string.Join(':', Peers.Libraries);
        start.Environment["PYTHONPATH"] = Peers.Find("usr/lib/python3/dist-packages");
        return start;
    }

    protected abstract Task<ProcessStartInfo> PreparePeerAsync();

    public override Task ReceivedAsync(long lines) => UntilAsync(() => ValueTask.FromResult(new FileInfo(Output) is { Exists: true } file && file.Length == lines * TelemetryLines.LineBytes));

    public override Task DoneAsync(long lines) => Task.CompletedTask;
}

/// <param name="checksJson">Parses every line with mmjsonparse and writes only what is JSON: syntax, no schema.</param>
sealed class Rsyslog(bool checksJson) : PeerServer
{
    protected override async Task<ProcessStartInfo> PreparePeerAsync()
    {
        var configuration = Path.Combine(Folder.FullName, "rsyslog.conf");
        var (check, condition) = checksJson ? ("""action(type="mmjsonparse" cookie="")""", """if $parsesuccess == "OK" then """) : ("", "");
        await File.WriteAllTextAsync(configuration, $$"""
            global(workDirectory="{{Folder.FullName}}" maxMessageSize="8k")
            main_queue(queue.type="FixedArray" queue.size="100000" queue.dequeueBatchSize="1024" queue.workerThreads="1")
            module(load="imtcp")
            {{(checksJson ? """module(load="mmjsonparse")""" : "")}}
            template(name="line" type="string" string="%rawmsg%\n")
            input(type="imtcp" address="127.0.0.1" port="{{Port}}" ruleset="lines")
            ruleset(name="lines") {
                {{check}}
                {{condition}}action(type="omfile" file="{{Output}}" template="line" asyncWriting="off" ioBufferSize="64k" flushOnTXEnd="on")
            }
            """);
        return new(Peers.Rsyslogd!, ["-n", "-i", Path.Combine(Folder.FullName, "pid"), "-f", configuration, "-M", Peers.Find("usr/lib/x86_64-linux-gnu/rsyslog") ?? "/usr/lib/x86_64-linux-gnu/rsyslog"]);
    }
}

/// <param name="checksJson">Parses every line with json-parser() and drops what is no JSON.</param>
sealed class SyslogNg(bool checksJson) : PeerServer
{
    protected override async Task<ProcessStartInfo> PreparePeerAsync()
    {
        var configuration = Path.Combine(Folder.FullName, "syslog-ng.conf");
        await File.WriteAllTextAsync(configuration, $$"""
            @version: 3.38
            options { threaded(yes); stats-freq(0); keep-hostname(yes); use-dns(no); log-msg-size(8192); };
            source s { network(ip("127.0.0.1") port({{Port}}) transport("tcp") flags(no-parse) max-connections(64) log-iw-size(640000) log-fetch-limit(10000)); };
            destination d { file("{{Output}}" template("$MSG\n") log-fifo-size(1000000) flush-lines(1000)); };
            log { source(s); {{(checksJson ? "parser { json-parser(); };" : "")}} destination(d); flags(flow-control); };
            """);
        var modules = Peers.Find("usr/lib/syslog-ng/3.38") ?? "/usr/lib/syslog-ng/3.38";
        return new(Peers.SyslogNgd!, [
            "-F", "-f", configuration, "--persist-file", Path.Combine(Folder.FullName, "persist"), "--pidfile", Path.Combine(Folder.FullName, "pid"), "--control", Path.Combine(Folder.FullName, "ctl"),
            "--no-caps", "--module-path", modules]);
    }
}

/// <summary>pydantic_server.py under Debian's Python.</summary>
sealed class PydanticServer : PeerServer
{
    protected override Task<ProcessStartInfo> PreparePeerAsync() =>
        Task.FromResult(new ProcessStartInfo(Peers.Python, [Path.Combine(AppContext.BaseDirectory, "Ingest", "pydantic_server.py"), $"{Port}", Output]));
}
