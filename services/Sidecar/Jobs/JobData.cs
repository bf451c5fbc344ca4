using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using LeanPipe.Sidecar.State;

namespace LeanPipe.Sidecar.Jobs;

/// <summary>A job's data: JSON from REST, or a typed message from gRPC. Either is what it was for who asks the way it came, and JSON for the app.</summary>
static class JobData
{
    const string TypePrefix = "type.googleapis.com/";

    static readonly MessageDescriptorSet Known = new(
        Value.Descriptor, Struct.Descriptor, ListValue.Descriptor, StringValue.Descriptor, BytesValue.Descriptor, BoolValue.Descriptor,
        Int32Value.Descriptor, Int64Value.Descriptor, UInt32Value.Descriptor, UInt64Value.Descriptor, FloatValue.Descriptor, DoubleValue.Descriptor);

    /// <summary>False when the bytes are not of the type that they claim to be.</summary>
    public static bool TryTake(Any data, JobRecord job, [NotNullWhen(false)] out string? error)
    {
        (job.Data, job.DataType, error) = (data.Value, data.TypeUrl, null);
        try
        {
            Body(job);
            return true;
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or InvalidOperationException or ArgumentException)
        {
            error = $"the data is no {data.TypeUrl}";
            return false;
        }
    }

    public static Any? ToAny(JobRecord job)
    {
        if (job.DataType.Length > 0)
            return new Any { TypeUrl = job.DataType, Value = job.Data };
        return job.Data.IsEmpty ? null : Any.Pack(JsonParser.Default.Parse<Value>(job.Data.ToStringUtf8()), TypePrefix);
    }

    /// <summary>What the app gets: JSON, or the message's bytes when only its maker knows the type.</summary>
    public static byte[] Body(JobRecord job) => Json(job) is { } json ? Encoding.UTF8.GetBytes(json) : job.Data.ToByteArray();

    public static void Write(Utf8JsonWriter json, JobRecord job)
    {
        if (job.Data.IsEmpty && job.DataType.Length == 0)
            return;
        json.WritePropertyName("data");
        if (job.DataType.Length == 0)
        {
            json.WriteRawValue(job.Data.Span, skipInputValidation: true);
            return;
        }

        if (Json(job) is { } text)
        {
            json.WriteRawValue(text);
            return;
        }

        json.WriteStartObject();
        json.WriteString("@type", job.DataType);
        json.WriteBase64String("value", job.Data.Span);
        json.WriteEndObject();
    }

    // Null when the type is not one that has a JSON form of its own.
    static string? Json(JobRecord job)
    {
        if (job.DataType.Length == 0)
            return job.Data.ToStringUtf8();
        return Known.Find(job.DataType) is { } type ? JsonFormatter.Default.Format(type.Parser.ParseFrom(job.Data)) : null;
    }

    sealed class MessageDescriptorSet(params Google.Protobuf.Reflection.MessageDescriptor[] types)
    {
        public Google.Protobuf.Reflection.MessageDescriptor? Find(string typeUrl) =>
            Array.Find(types, t => typeUrl.EndsWith("/" + t.FullName, StringComparison.Ordinal));
    }
}
