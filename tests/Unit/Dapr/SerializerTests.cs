using System.Text.Json;
using Dapr.Common.Serialization;
using Dapr.Workflow;
using Dapr.Workflow.Serialization;
using Dapr.Workflow.Worker;
using LeanPipe.DaprWire;
using Microsoft.Extensions.DependencyInjection;

namespace LeanPipe.Unit.DaprStandIns;

public sealed class SerializerTests
{
    [Fact]
    public async Task Payloads_are_web_json_with_fields_unless_something_else_is_set() =>
        (await EchoAsync<(int, string)>(_ => { }, """{"Item1":1,"item2":"x"}""")).ShouldBe("""{"item1":1,"item2":"x"}""");

    [Fact]
    public async Task Json_options_of_the_builder_are_the_workers() =>
        (await EchoAsync<Payload>(builder => builder.WithJsonSerializer(new JsonSerializerOptions { PropertyNamingPolicy = JsonNamingPolicy.KebabCaseUpper }), """{"ONE-WORD":"x"}"""))
            .ShouldBe("""{"ONE-WORD":"x"}""");

    [Fact]
    public async Task A_serializer_of_ones_own_writes_and_reads_and_never_sees_a_missing_payload()
    {
        (await EchoAsync<int>(builder => builder.WithSerializer(new Reversed()), "321")).ShouldBe("321");
        (await EchoAsync<Payload>(builder => builder.WithSerializer(_ => new Reversed()), "}\"x\":\"droWenO\"{")).ShouldBe("}\"x\":\"droWenO\"{");
        (await EchoAsync<Payload?>(builder => builder.WithSerializer(_ => new Reversed()), "")).ShouldBe("");
    }

    static async Task<string> EchoAsync<T>(Action<WorkflowServiceCollectionExtensions.DaprWorkflowBuilder> configure, string input)
    {
        var collection = new ServiceCollection().AddLogging();
        configure(collection.AddDaprWorkflowBuilder(options => options.RegisterActivity<T, T>("echo", (_, payload) => Task.FromResult(payload))));
        await using var services = collection.BuildServiceProvider();
        return (await services.GetRequiredService<ActivityRunner>().AnswerAsync(new ActivityRequest { Name = "echo", Input = input })).Result;
    }

    sealed record Payload(string OneWord);

    sealed class Reversed : IWorkflowSerializer
    {
        static readonly JsonDaprSerializer Json = new(new JsonSerializerOptions());

        public string Serialize<T>(T value) => Serialize(value, typeof(T));

        public string Serialize(object? value, Type? inputType = null) => Turn(Json.Serialize(value.ShouldNotBeNull(), inputType));

        public T? Deserialize<T>(string? data) => Json.Deserialize<T>(Turn(data.ShouldNotBeNull()));

        public object? Deserialize(string? data, Type returnType) => Json.Deserialize(Turn(data.ShouldNotBeNull()), returnType);

        static string Turn(string text) => string.Concat(text.Reverse());
    }
}
