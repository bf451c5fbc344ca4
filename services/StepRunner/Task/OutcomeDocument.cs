using System.Buffers;
using System.Text.Json;
using LeanPipe.Contracts;

namespace LeanPipe.StepRunner;

/// <summary>Writes <c>outcome.json</c>, byte for byte as <see cref="ContractsJson"/> would; by hand for the reason of <see cref="TaskDocument"/>.</summary>
internal static class OutcomeDocument
{
    public static ReadOnlyMemory<byte> Write(TaskOutcome outcome)
    {
        var buffer = new ArrayBufferWriter<byte>(4096);
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        json.WriteNumber("version", outcome.Version);
        json.WriteString("run", outcome.Run.Value);
        json.WriteString("step", outcome.Step.Value);
        json.WriteString("task", outcome.Task.Value);
        json.WriteNumber("attempt", outcome.Attempt);
        if (outcome.Error is { } error)
        {
            json.WriteStartObject("error");
            json.WriteString("code", error.Code);
            json.WriteString("message", error.Message);
            json.WriteBoolean("transient", error.Transient);
            json.WriteEndObject();
        }
        json.WriteNumber("rows_in", outcome.RowsIn);
        json.WriteNumber("bytes_in", outcome.BytesIn);
        json.WriteNumber("rows_out", outcome.RowsOut);
        json.WriteNumber("bytes_out", outcome.BytesOut);
        json.WriteStartArray("columns");
        foreach (var column in outcome.Columns)
        {
            json.WriteStartObject();
            json.WriteString("name", column.Name);
            json.WriteString("type", column.Type);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartArray("chunks");
        foreach (var chunk in outcome.Chunks) Write(json, chunk);
        json.WriteEndArray();
        json.WriteStartArray("checks");
        foreach (var check in outcome.Checks)
        {
            json.WriteStartObject();
            json.WriteString("name", check.Name);
            json.WriteNumber("expected", check.Expected);
            if (check.Found is { } found) json.WriteNumber("found", found);
            json.WriteBoolean("passed", check.Passed);
            if (check.Severity is { } severity) json.WriteString("severity", severity == CheckSeverity.Warn ? "warn" : "fail");
            if (check.Rows is { } rows) json.WriteString("rows", rows);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        if (outcome.Load is { } load) Write(json, load);
        json.WriteStartObject("timings");
        json.WriteNumber("fetch_ms", outcome.Timings.FetchMs);
        json.WriteNumber("sql_ms", outcome.Timings.SqlMs);
        json.WriteNumber("upload_ms", outcome.Timings.UploadMs);
        json.WriteNumber("total_ms", outcome.Timings.TotalMs);
        json.WriteEndObject();
        json.WriteNumber("peak_memory_bytes", outcome.PeakMemoryBytes);
        json.WriteString("engine", outcome.Engine);
        json.WriteString("started_at", outcome.StartedAt);
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenMemory;
    }

    static void Write(Utf8JsonWriter json, LoadResult load)
    {
        json.WriteStartObject("load");
        json.WriteNumber("rows", load.Rows);
        json.WriteNumber("inserted", load.Inserted);
        json.WriteNumber("updated", load.Updated);
        json.WriteBoolean("repeated", load.Repeated);
        if (load.Added is { } added)
        {
            json.WriteStartObject("added");
            foreach (var (table, rows) in added) json.WriteNumber(table, rows);
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }

    static void Write(Utf8JsonWriter json, Chunk chunk)
    {
        json.WriteStartObject();
        json.WriteStartObject("object");
        json.WriteString("key", chunk.Object.Key);
        json.WriteNumber("bytes", chunk.Object.Bytes);
        json.WriteNumber("rows", chunk.Object.Rows);
        json.WriteString("sha256", chunk.Object.Sha256);
        json.WriteEndObject();
        if (chunk.Bucket is { } bucket) json.WriteNumber("bucket", bucket);
        if (chunk.Stats is { } stats)
        {
            json.WriteStartObject("stats");
            foreach (var (column, bounds) in stats)
            {
                json.WriteStartObject(column);
                if (bounds.Min is not null) json.WriteString("min", bounds.Min);
                if (bounds.Max is not null) json.WriteString("max", bounds.Max);
                json.WriteNumber("nulls", bounds.Nulls);
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }
}
