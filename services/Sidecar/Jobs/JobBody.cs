using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Google.Protobuf;
using LeanPipe.Sidecar.State;

namespace LeanPipe.Sidecar.Jobs;

/// <param name="Code">As the official sidecar has it in errorCode.</param>
sealed record JobFault(int Status, string Code, string Message);

/// <summary>A job as its JSON: in when it is scheduled, out when it is asked for. Names are taken as in the protocol's JSON: camel case or with underscores.</summary>
static class JobBody
{
    const string Unusable = "DAPR_SCHEDULER_SCHEDULE_JOB";

    /// <summary>Durations count from <paramref name="now"/>.</summary>
    public static bool TryRead(
        byte[] body, DateTimeOffset now, TimeZoneInfo local, [NotNullWhen(true)] out JobRecord? job, out bool overwrite, [NotNullWhen(false)] out JobFault? fault)
    {
        (job, overwrite, fault) = (null, false, null);
        var read = new JobRecord { CreatedAt = now.ToUnixTimeMilliseconds() };
        try
        {
            using var document = JsonDocument.Parse(body.Length == 0 ? "{}"u8.ToArray() : body);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw new FormatException("the body is not a JSON object");
            foreach (var field in document.RootElement.EnumerateObject())
            {
                if (field.Value.ValueKind == JsonValueKind.Null)
                    continue;
                switch (field.Name.Replace("_", "", StringComparison.Ordinal).ToUpperInvariant())
                {
                    case "NAME":
                        fault = new JobFault(400, "DAPR_SCHEDULER_JOB_NAME", "Set the job name in the url only");
                        return false;
                    case "SCHEDULE":
                        read.Schedule = field.Value.GetString() ?? "";
                        break;
                    case "DUETIME":
                        read.DueTime = field.Value.GetString() ?? "";
                        break;
                    case "TTL":
                        read.Ttl = field.Value.GetString() ?? "";
                        break;
                    case "REPEATS":
                        read.Repeats = field.Value.ValueKind == JsonValueKind.String ? uint.Parse(field.Value.GetString()!) : field.Value.GetUInt32();
                        break;
                    case "DATA":
                        read.Data = ByteString.CopyFromUtf8(field.Value.GetRawText());
                        break;
                    case "OVERWRITE":
                        overwrite = field.Value.GetBoolean();
                        break;
                    case "FAILUREPOLICY":
                        read.FailurePolicy = Policy(field.Value);
                        break;
                }
            }
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException or OverflowException)
        {
            fault = new JobFault(400, "ERR_MALFORMED_REQUEST", $"failed to unmarshal request: {e.Message}");
            return false;
        }

        fault = Check(read, now, local);
        job = read;
        return fault is null;
    }

    public static void Write(Utf8JsonWriter json, string name, JobRecord job)
    {
        json.WriteStartObject();
        json.WriteString("name", name);
        if (job.Schedule.Length > 0)
            json.WriteString("schedule", job.Schedule);
        if (job.HasRepeats)
            json.WriteNumber("repeats", job.Repeats);
        if (job.DueTime.Length > 0)
            json.WriteString("dueTime", job.DueTime);
        if (job.Ttl.Length > 0)
            json.WriteString("ttl", job.Ttl);
        JobData.Write(json, job);
        if (job.FailurePolicy is { } policy)
        {
            json.WriteStartObject("failurePolicy");
            json.WriteStartObject(policy.Drop ? "drop" : "constant");
            if (!policy.Drop)
            {
                json.WriteString("interval", FormattableString.Invariant($"{policy.IntervalMs / 1000.0}s"));
                if (policy.HasMaxRetries)
                    json.WriteNumber("maxRetries", policy.MaxRetries);
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    /// <summary>Works out when the job is due first and when it is over.</summary>
    /// <returns>Why it is no job; null = it is one.</returns>
    public static JobFault? Check(JobRecord job, DateTimeOffset now, TimeZoneInfo local)
    {
        if (job.Schedule.Length == 0 && job.DueTime.Length == 0)
            return new JobFault(400, "DAPR_SCHEDULER_SCHEDULE_EMPTY", "Schedule is empty");

        DateTimeOffset? next = null;
        JobSchedule? schedule = null;
        if (job.Schedule.Length > 0 && !JobSchedule.TryParse(job.Schedule, local, out schedule, out var error))
            return new JobFault(400, Unusable, error);
        if (job.DueTime.Length > 0)
        {
            if (!JobTimes.TryTime(job.DueTime, now, out var due))
                return NoTime("dueTime", job.DueTime);
            next = due;
        }

        if (job.Ttl.Length > 0)
        {
            if (!JobTimes.TryTime(job.Ttl, now, out var expires))
                return NoTime("ttl", job.Ttl);
            job.ExpiresAt = expires.ToUnixTimeMilliseconds();
        }

        if ((next ?? schedule!.Next(now, now)) is not { } first)
            return new JobFault(400, Unusable, $"the schedule '{job.Schedule}' never comes");
        job.NextAt = first.ToUnixTimeMilliseconds();
        return null;
    }

    static JobFault NoTime(string field, string text) => new(
        400, Unusable, $"{field} '{text}' is neither a time such as 2027-01-31T06:00:00Z nor a duration such as 1h30m or PT90M");

    static JobFailurePolicy Policy(JsonElement policy)
    {
        if (policy.TryGetProperty("drop", out _))
            return new JobFailurePolicy { Drop = true };
        if (!policy.TryGetProperty("constant", out var constant))
            throw new FormatException("the failure policy is neither drop nor constant");

        var read = new JobFailurePolicy();
        foreach (var field in constant.EnumerateObject())
        {
            if (field.Name is "interval")
            {
                if (!JobTimes.TryGoDuration(field.Value.GetString() ?? "", out var interval))
                    throw new FormatException($"the failure policy's interval '{field.Value}' is no duration such as 1s");
                read.IntervalMs = (long)interval.TotalMilliseconds;
            }
            else if (field.Name is "maxRetries" or "max_retries" && field.Value.ValueKind != JsonValueKind.Null)
            {
                read.MaxRetries = field.Value.GetUInt32();
            }
        }

        return read;
    }
}
