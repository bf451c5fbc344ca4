using System.Collections;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace LeanPipe.Unit.DaprWire;

/// <summary>Messages as the recordings show them, and bytes in one order.</summary>
static class ProtoText
{
    /// <summary>What is present, by field name; wrappers and timestamps as the messages that they are, 64-bit numbers as text.</summary>
    public static JsonObject ToJson(IMessage message)
    {
        var json = new JsonObject();
        foreach (var field in message.Descriptor.Fields.InFieldNumberOrder())
        {
            var value = field.Accessor.GetValue(message);
            if (field.IsMap)
            {
                if (value is IDictionary { Count: > 0 } map)
                    json[field.Name] = new JsonObject(map.Keys.Cast<string>().Select(key => KeyValuePair.Create(key, (JsonNode?)(string)map[key]!)));
            }
            else if (field.IsRepeated)
            {
                if (value is IList { Count: > 0 } list)
                    json[field.Name] = new JsonArray([.. list.Cast<object>().Select(item => Single(field, item))]);
            }
            else if (field.HasPresence ? field.Accessor.HasValue(message) : !IsDefault(value))
            {
                json[field.Name] = Single(field, value);
            }
        }

        return json;
    }

    /// <summary>
    /// daprd writes the member of a oneof after all other fields, so an event's or an action's router (30, 9) stands before it; ours stands where its number is.
    /// Nothing else is moved.
    /// </summary>
    public static byte[] RouterInItsPlace(byte[] bytes, MessageDescriptor type)
    {
        var input = new CodedInputStream(bytes);
        var fields = new List<(int Number, byte[] Bytes)>();
        while (input.ReadTag() is var tag and not 0)
        {
            var number = WireFormat.GetTagFieldNumber(tag);
            using var copy = new MemoryStream();
            using var output = new CodedOutputStream(copy);
            output.WriteTag(tag);
            if (WireFormat.GetTagWireType(tag) == WireFormat.WireType.Varint)
            {
                output.WriteUInt64(input.ReadUInt64());
            }
            else
            {
                var content = input.ReadBytes();
                var field = type.FindFieldByNumber(number);
                output.WriteBytes(field is { FieldType: FieldType.Message, IsMap: false }
                    ? ByteString.CopyFrom(RouterInItsPlace(content.ToByteArray(), field.MessageType))
                    : content);
            }

            output.Flush();
            fields.Add((number, copy.ToArray()));
        }

        if (type.Name is "HistoryEvent" or "WorkflowAction" && fields.FindIndex(field => field.Number == type.FindFieldByName("router").FieldNumber) is >= 0 and var at)
        {
            var router = fields[at];
            fields.RemoveAt(at);
            var place = fields.FindIndex(field => field.Number > router.Number);
            fields.Insert(place < 0 ? fields.Count : place, router);
        }

        return [.. fields.SelectMany(field => field.Bytes)];
    }

    static JsonNode Single(FieldDescriptor field, object value) => field switch
    {
        { FieldType: FieldType.Enum } => JsonValue.Create(field.EnumType.FindValueByNumber((int)value).Name),
        { FieldType: FieldType.Message } when value is IMessage message => ToJson(message),
        { FieldType: FieldType.Message } => IsDefault(value) ? [] : new JsonObject { ["value"] = Scalar(value) },
        _ => Scalar(value),
    };

    static JsonNode Scalar(object value) => value switch
    {
        string text => text,
        bool flag => flag,
        int number => number,
        uint number => number,
        long number => $"{number}",
        _ => throw new NotSupportedException($"{value.GetType()}"),
    };

    static bool IsDefault(object value) => value switch
    {
        string text => text.Length == 0,
        bool flag => !flag,
        Enum number => Convert.ToInt32(number) == 0,
        int number => number == 0,
        uint number => number == 0,
        long number => number == 0,
        _ => false,
    };
}
