using LeanPipe.Contracts;
using LeanPipe.Documents;

namespace LeanPipe.Unit.Documents;

public sealed class GoodDocumentTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("leanpipe-documents-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_stream_document_gives_every_part_of_the_definition()
    {
        var stream = StreamDocument.Parse("telemetry.yaml", """
            stream: telemetry
            listen: 127.0.0.1:7001
            framing: newline
            decoder: json
            schema:
              extra: ignore
              fields:
                sensor_id: { type: int64, min: 1 }
                kind: { enum: [Temperature, on, "1"] }
                value: { union: [float64, string], nullable: true }
                note?: string?
                tags: { list: { type: string, max_length: 5 }, max_items: 3, required: false }
                where: { record: { lat: float64, lon: float64? }, extra: ignore }
                cost: { type: decimal, precision: 10, scale: 2 }
                blob: { type: bytes, max_length: 64 }
                timestamp: { timestamp: milliseconds }
            event_time: timestamp
            window: 15m
            lateness: 90s
            seal_when_idle_for: 1.5m
            ack: durable
            limits: { max_frame: 64KB, cut_at: 1MiB, cut_after: 500ms, max_unsynced: 2MB, max_connections: 7, max_ahead: 1d }
            """).Require();

        stream.Name.Value.ShouldBe("telemetry");
        stream.Listen.ShouldBe("127.0.0.1:7001");
        stream.Decoder.ShouldBeOfType<JsonDecoderDefinition>();
        stream.Schema.Extra.ShouldBe(ExtraFields.Ignore);
        var fields = stream.Schema.Fields;
        fields[0].ShouldBe(new("sensor_id", new Int64Type(Min: 1)));
        fields[1].Type.ShouldBeOfType<EnumType>().Values.ShouldBe(["Temperature", "on", "1"]);
        fields[2].Nullable.ShouldBeTrue();
        fields[2].Type.ShouldBeOfType<UnionType>().Members.ShouldBe([new Float64Type(), new StringType()]);
        fields[3].ShouldBe(new("note", new StringType(), Required: false, Nullable: true));
        fields[4].ShouldBe(new("tags", new ListType(new StringType(MaxLength: 5), MaxItems: 3), Required: false));
        var where = fields[5].Type.ShouldBeOfType<RecordType>();
        where.Fields.ShouldBe([new("lat", new Float64Type()), new("lon", new Float64Type(), Nullable: true)]);
        where.Extra.ShouldBe(ExtraFields.Ignore);
        fields[6].Type.ShouldBe(new DecimalType(10, 2));
        fields[7].Type.ShouldBe(new BytesType(64));
        fields[8].Type.ShouldBe(new TimestampType(TimestampUnit.Milliseconds));
        stream.EventTime.ShouldBe("timestamp");
        stream.Window.Length.ShouldBe(TimeSpan.FromMinutes(15));
        stream.Lateness.ShouldBe(TimeSpan.FromSeconds(90));
        stream.SealWhenIdleFor.ShouldBe(TimeSpan.FromSeconds(90));
        stream.Ack.ShouldBe(AckMode.Durable);
        stream.Limits.ShouldBe(new StreamLimits
        {
            MaxFrameBytes = 64 * 1024,
            CutAtBytes = 1024 * 1024,
            CutAfter = TimeSpan.FromMilliseconds(500),
            MaxUnsyncedBytes = 2 * 1024 * 1024,
            MaxConnections = 7,
            MaxAhead = TimeSpan.FromDays(1),
        });
    }

    [Fact]
    public void A_short_stream_document_takes_the_defaults()
    {
        var stream = StreamDocument.Parse("s.yaml", "{ stream: s, listen: '[::1]:0', schema: { fields: { at: timestamp } }, event_time: at }").Require();
        stream.Window.ShouldBe(WindowSize.Hour);
        stream.Ack.ShouldBe(AckMode.None);
        stream.Limits.ShouldBe(new StreamLimits());
        stream.Schema.Fields[0].Type.ShouldBe(new TimestampType());
    }

    [Fact]
    public void A_CSV_decoder_covers_the_schema_by_columns_and_constants()
    {
        var stream = StreamDocument.Parse("s.yaml", """
            stream: machine
            listen: 127.0.0.1:0
            decoder: { csv: { columns: [timestamp, value], header: true, delimiter: tab, constants: { sensor_id: machine } } }
            schema: { fields: { sensor_id: string, timestamp: { timestamp: text, format: "yyyy-MM-dd HH:mm:ss" }, value: float64 } }
            event_time: timestamp
            window: 1d
            """).Require();
        var csv = stream.Decoder.ShouldBeOfType<CsvDecoderDefinition>();
        csv.Columns.ShouldBe(["timestamp", "value"]);
        csv.Header.ShouldBeTrue();
        csv.Delimiter.ShouldBe('\t');
        csv.Constants.ShouldNotBeNull()["sensor_id"].ShouldBe("machine");
        stream.Schema.Fields[1].Type.ShouldBe(new TimestampType(TimestampUnit.Text, "yyyy-MM-dd HH:mm:ss"));
    }

    [Fact]
    public void Every_kind_of_input_fan_out_output_and_trigger_is_read()
    {
        var pipeline = PipelineDocument.Parse(WritePipeline("""
            pipeline: p
            trigger: { schedule: { cron: "10 3 * * *", time_zone: Europe/Zurich, window: 1d } }
            steps:
              a:
                inputs: { day: { stream: telemetry, last: 24h } }
                fan_out: window
                sql: a.sql
                output: { row_group: 50000, compression: snappy, partition_by: [site], hash_by: { columns: [k, l], buckets: 8 } }
              b: { inputs: { old: { table: t, version: 3 }, then: { table: t, as_of: "2026-01-01T10:00:00Z" } }, fan_out: { rows: 1000000, of: old }, sql: a.sql, output: { hash_by: { columns: [m, n], buckets: 8 } } }
              c: { inputs: { f: { files: "imports/**/*.csv.gz" } }, fan_out: { files: 3 }, sql: a.sql }
              d: { inputs: { x: a, y: b, z: c }, fan_out: { hash: [x.k, y.m, x.l, y.n], buckets: 8 }, sql: b.sql }
              e: { inputs: { x: c }, fan_out: none, sql: b.sql }
            """), File.ReadAllText(Path.Combine(_folder, "pipeline.yaml"))).Require();

        pipeline.TriggerSchedule.ShouldBe(new("10 3 * * *", "Europe/Zurich", WindowSize.Day));
        var steps = pipeline.Steps.ToDictionary(s => s.Name.Value);
        steps["a"].Inputs["day"].ShouldBe(new StreamInput(new("telemetry"), TimeSpan.FromHours(24)));
        steps["a"].FanOut.ShouldBe(new WindowFanOut());
        var output = steps["a"].Output;
        (output.RowGroupRows, output.Compression).ShouldBe((50_000, ChunkCompression.Snappy));
        output.PartitionBy.ShouldBe(["site"]);
        output.HashBy.ShouldNotBeNull().Columns.ShouldBe(["k", "l"]);
        steps["b"].Inputs["old"].ShouldBe(new TableInput(new("t"), 3));
        steps["b"].Inputs["then"].ShouldBe(new TableInput(new("t"), AsOf: new(2026, 1, 1, 10, 0, 0, TimeSpan.Zero)));
        steps["b"].FanOut.ShouldBe(new RowsFanOut(1_000_000, "old"));
        steps["c"].Inputs["f"].ShouldBe(new LakeFilesInput("imports/**/*.csv.gz"));
        steps["c"].FanOut.ShouldBe(new FilesFanOut(3));
        steps["d"].FanOut.ShouldBeOfType<HashFanOut>().Sides.Select(s => $"{s.Input}: {string.Join(' ', s.Columns)}").ShouldBe(["x: k l", "y: m n"]);
        steps["e"].FanOut.ShouldBeOfType<FanInDefinition>();
    }

    [Fact]
    public void A_pipeline_document_brings_its_SQL_and_stands_in_an_order_that_can_run()
    {
        var pipeline = PipelineDocument.Parse(WritePipeline("""
            pipeline: telemetry-hourly
            trigger: { sealed: telemetry }
            timeout: 2h
            max_runs: 3
            params: { kind: Temperature, limit: 5, ratio: 0.5, on: true, code: "7", from: { type: timestamp }, top: { type: int64, default: 3 } }
            steps:
              hourly:
                inputs: { parts: by_sensor }
                sql: b.sql
                publish: { table: temperatures_hourly, mode: replace_window }
              by_sensor:
                inputs: { t: compact, sensors: { file: sensors.csv }, old: { table: older } }
                fan_out: { hash: t.sensor_id, buckets: 16 }
                sql: b.sql
                checks: [ { name: no_nulls, sql: "SELECT count(*) FROM output WHERE v IS NULL", expect: 0 }, { name: no_twins, rows: FROM output, severity: warn } ]
                timeout: 10m
                retries: 0
                cache: false
                dedupe: [sensor_id, v]
              compact:
                inputs: { raw: { stream: telemetry } }
                fan_out: { bytes: 256MB, of: raw }
                sql: a.sql
                output: { chunk: 128MB, order_by: [sensor_id, timestamp] }
            """), File.ReadAllText(Path.Combine(_folder, "pipeline.yaml"))).Require();

        pipeline.TriggerSealed.ShouldBe(new("telemetry"));
        pipeline.Params.Select(p => (p.Name, p.Type, p.Default)).ShouldBe([
            ("kind", ParamType.String, "Temperature"), ("limit", ParamType.Int64, "5"), ("ratio", ParamType.Float64, "0.5"), ("on", ParamType.Bool, "true"),
            ("code", ParamType.String, "7"), ("from", ParamType.Timestamp, null), ("top", ParamType.Int64, "3")]);
        pipeline.Steps.Select(s => s.Name.Value).ShouldBe(["compact", "by_sensor", "hourly"]);
        var (compact, bySensor, hourly) = (pipeline.Steps[0], pipeline.Steps[1], pipeline.Steps[2]);
        compact.Sql.ShouldBe("SELECT a");
        compact.FanOut.ShouldBe(new BytesFanOut(256L << 20, "raw"));
        compact.Output.ChunkBytes.ShouldBe(128L << 20);
        compact.Output.OrderBy.ShouldBe(["sensor_id", "timestamp"]);
        bySensor.Inputs.ShouldBe([new("t", new StepInput(new("compact"))), new("sensors", new FileInput("sensors.csv")), new("old", new TableInput(new("older")))]);
        bySensor.FanOut.ShouldBe(new HashFanOut("t", "sensor_id", 16));
        bySensor.Checks.ShouldBe([new("no_nulls", "SELECT count(*) FROM output WHERE v IS NULL", 0), new("no_twins", "FROM output", 0, CheckSeverity.Warn, Rows: true)]);
        (bySensor.Timeout, bySensor.Retries, bySensor.Cache).ShouldBe((TimeSpan.FromMinutes(10), 0, false));
        bySensor.Dedupe.ShouldBe(["sensor_id", "v"]);
        (hourly.Timeout, hourly.Retries, hourly.Cache).ShouldBe((null, null, true));
        (pipeline.Timeout, pipeline.MaxRuns).ShouldBe((TimeSpan.FromHours(2), 3));
        hourly.FanOut.ShouldBeOfType<FanInDefinition>();
        hourly.Publish.ShouldBe(new(new("temperatures_hourly")));
    }

    [Fact]
    public void A_folder_that_does_not_exist_is_an_empty_configuration()
    {
        var configuration = ConfigFolder.Load(Path.Combine(_folder, "absent")).Require();
        configuration.Streams.ShouldBeEmpty();
        configuration.Pipelines.ShouldBeEmpty();
    }

    [Fact]
    public void A_pipeline_of_a_folder_knows_where_its_files_stand()
    {
        WritePipeline("{ pipeline: p, steps: { a: { inputs: { s: { file: sensors.csv } }, sql: a.sql } } }");
        var home = Path.Combine(_folder, "config", "pipelines", "p");
        Directory.CreateDirectory(home);
        foreach (var file in Directory.EnumerateFiles(_folder)) File.Copy(file, Path.Combine(home, Path.GetFileName(file)));
        var pipeline = ConfigFolder.Load(Path.Combine(_folder, "config")).Require().Pipelines.ShouldHaveSingleItem();
        pipeline.Definition.Name.Value.ShouldBe("p");
        File.Exists(Path.Combine(pipeline.Folder, "sensors.csv")).ShouldBeTrue();
    }

    string WritePipeline(string yaml)
    {
        File.WriteAllText(Path.Combine(_folder, "a.sql"), "SELECT a");
        File.WriteAllText(Path.Combine(_folder, "b.sql"), "SELECT b");
        File.WriteAllText(Path.Combine(_folder, "sensors.csv"), "sensor_id\n1\n");
        var path = Path.Combine(_folder, "pipeline.yaml");
        File.WriteAllText(path, yaml);
        return path;
    }

    [Fact]
    public void A_stream_document_says_who_may_connect_and_how()
    {
        var stream = StreamDocument.Parse("config/streams/telemetry.yaml", """
            stream: telemetry
            listen: 127.0.0.1:7001
            schema: { fields: { device: string, at: timestamp } }
            event_time: at
            tls: { certificate: server.pem, key: /keys/server.key, client_ca: ../ca.pem, require_client_certificate: true, peer_name: device }
            proxy_protocol: required
            allow: [10.0.0.0/8, "2001:db8::/32", 192.0.2.7]
            proxies: ["::1"]
            keepalive: { after: 2m, every: 5s, probes: 3 }
            limits: { max_connections_per_ip: 5, idle_timeout: 1h, max_frame_time: 10s, max_unread_time: 5s }
            """).Require();

        stream.Network.Tls.ShouldBe(new("config/streams/server.pem", "/keys/server.key", "config/streams/../ca.pem", true, "device"));
        stream.Network.ProxyProtocol.ShouldBeTrue();
        stream.Network.Allow.Select(n => n.ToString()).ShouldBe(["10.0.0.0/8", "2001:db8::/32", "192.0.2.7/32"]);
        stream.Network.Proxies.Select(n => n.ToString()).ShouldBe(["::1/128"]);
        stream.Network.KeepAlive.ShouldBe(new() { After = TimeSpan.FromMinutes(2), Every = TimeSpan.FromSeconds(5), Probes = 3 });
        stream.Limits.MaxConnectionsPerIp.ShouldBe(5);
        stream.Limits.IdleTimeout.ShouldBe(TimeSpan.FromHours(1));
        stream.Limits.MaxFrameTime.ShouldBe(TimeSpan.FromSeconds(10));
        stream.Limits.MaxUnreadTime.ShouldBe(TimeSpan.FromSeconds(5));
    }
}
