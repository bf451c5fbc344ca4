using System.Collections;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using LeanPipe.Contracts;

namespace LeanPipe.Unit.Contracts;

/// <summary>A document of an older writer lacks the members that came later: they must read as the defaults that stand beside them in the code.</summary>
public sealed class ContractsDefaultsTests
{
    static readonly Dictionary<Type, string> Texts = new()
    {
        [typeof(string)] = "x",
        [typeof(PipelineName)] = "x",
        [typeof(StepName)] = "x",
        [typeof(StreamName)] = "x",
        [typeof(TableName)] = "x",
        [typeof(RunId)] = "x",
        [typeof(TaskId)] = "00001",
        [typeof(WindowId)] = "2026-01-01T10",
        [typeof(DateTimeOffset)] = "2026-01-01T10:00:00+00:00",
        [typeof(TimeSpan)] = "00:00:01",
    };

    public static TheoryData<Type> Documents => [.. Reachable()];

    [Theory]
    [MemberData(nameof(Documents))]
    public void A_document_with_its_required_members_alone_reads_with_the_declared_defaults(Type type)
    {
        var json = Minimal(type)!.ToJsonString();

        var read = JsonSerializer.Deserialize(json, type, ContractsJson.Default)!;

        // The reflecting reader runs initialisers, as any caller of the constructor does.
        var reflecting = new JsonSerializerOptions(ContractsJson.Default.Options) { TypeInfoResolver = new DefaultJsonTypeInfoResolver() };
        var expected = JsonSerializer.Serialize(JsonSerializer.Deserialize(json, type, reflecting), type, reflecting);
        JsonSerializer.Serialize(read, type, ContractsJson.Default).ShouldBe(expected, json);
        NullsThatMayNotBe(read).ShouldBeEmpty(json);
    }

    static IEnumerable<string> NullsThatMayNotBe(object document)
    {
        var nullability = new NullabilityInfoContext();
        foreach (var property in document.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            if (property.GetIndexParameters().Length == 0 && !property.PropertyType.IsValueType && nullability.Create(property).ReadState == NullabilityState.NotNull &&
                property.GetValue(document) is null)
                yield return property.Name;
        }
    }

    /// <summary>Every record that a root document of the context holds, the roots among them.</summary>
    static HashSet<Type> Reachable()
    {
        var found = new HashSet<Type>();
        var open = new Stack<Type>(typeof(ContractsJson).GetCustomAttributesData().Where(a => a.AttributeType == typeof(JsonSerializableAttribute)).Select(a => (Type)a.ConstructorArguments[0].Value!));
        while (open.TryPop(out var type))
        {
            var info = ContractsJson.Default.GetTypeInfo(type)!;
            if (info.Kind == JsonTypeInfoKind.Object && found.Add(type))
                foreach (var property in info.Properties) open.Push(property.PropertyType);
            else if (info.ElementType is { } element) open.Push(element);
        }
        return found;
    }

    static JsonNode? Minimal(Type type)
    {
        if (Texts.TryGetValue(type, out var text)) return text;
        if (Nullable.GetUnderlyingType(type) is not null) return null;
        if (type.IsEnum) return JsonNamingPolicy.SnakeCaseLower.ConvertName(Enum.GetNames(type)[0]);
        if (type == typeof(bool)) return false;
        if (type.IsPrimitive) return 1;
        var info = ContractsJson.Default.GetTypeInfo(type)!;
        if (info.Kind == JsonTypeInfoKind.Dictionary) return new JsonObject();
        if (typeof(IEnumerable).IsAssignableFrom(type)) return new JsonArray();
        var document = new JsonObject();
        foreach (var property in info.Properties.Where(p => p.IsRequired)) document[property.Name] = Minimal(property.PropertyType);
        return document;
    }
}
