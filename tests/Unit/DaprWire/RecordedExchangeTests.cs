using System.Text.Json;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using LeanPipe.DaprWire;
using LeanPipe.Unit.Repository;

namespace LeanPipe.Unit.DaprWire;

/// <summary>
/// Messages as other programs wrote them: one JSON object per line with method (<c>m</c>), direction (<c>dir</c>), bytes (<c>hex</c>) and what they mean (<c>json</c>).
/// Ours must read the same meaning, and write the same bytes.
/// </summary>
public sealed class RecordedExchangeTests
{
    static readonly Dictionary<(string Method, string Direction), MessageParser> Parsers = new()
    {
        [("Hello", "c->s")] = Empty.Parser,
        [("Hello", "s->c")] = Empty.Parser,
        [("GetWorkItems", "c->s")] = GetWorkItemsRequest.Parser,
        [("GetWorkItems", "s->c")] = WorkItem.Parser,
        [("CompleteOrchestratorTask", "c->s")] = WorkflowResponse.Parser,
        [("CompleteOrchestratorTask", "s->c")] = CompleteTaskResponse.Parser,
        [("CompleteActivityTask", "c->s")] = ActivityResponse.Parser,
        [("CompleteActivityTask", "s->c")] = CompleteTaskResponse.Parser,
        [("StartInstance", "c->s")] = CreateInstanceRequest.Parser,
        [("StartInstance", "s->c")] = CreateInstanceResponse.Parser,
        [("GetInstance", "c->s")] = GetInstanceRequest.Parser,
        [("GetInstance", "s->c")] = GetInstanceResponse.Parser,
        [("RaiseEvent", "c->s")] = RaiseEventRequest.Parser,
        [("TerminateInstance", "c->s")] = TerminateRequest.Parser,
        [("SuspendInstance", "c->s")] = SuspendRequest.Parser,
        [("ResumeInstance", "c->s")] = ResumeRequest.Parser,
        [("PurgeInstances", "c->s")] = PurgeInstancesRequest.Parser,
        [("PurgeInstances", "s->c")] = PurgeInstancesResponse.Parser,
        [("ListInstanceIDs", "c->s")] = ListInstanceIDsRequest.Parser,
        [("ListInstanceIDs", "s->c")] = ListInstanceIDsResponse.Parser,
        [("GetInstanceHistory", "c->s")] = GetInstanceHistoryRequest.Parser,
        [("GetInstanceHistory", "s->c")] = GetInstanceHistoryResponse.Parser,
        [("RerunWorkflowFromEvent", "c->s")] = RerunWorkflowFromEventRequest.Parser,
        [("RerunWorkflowFromEvent", "s->c")] = RerunWorkflowFromEventResponse.Parser,
    };

    [Fact]
    public void Vectors_made_by_hand_from_the_field_tables_mean_and_weigh_the_same() =>
        Check(Path.Combine(Tree.Root, "tests", "golden", "dapr", "wire.jsonl")).ShouldBe(24);

    /// <summary>LEANPIPE_TEST_GOLDEN names a folder with <c>daprd-*-wire.jsonl</c>.</summary>
    [Fact]
    public void What_a_real_daprd_and_the_official_SDK_said_to_each_other_means_and_weighs_the_same()
    {
        var folder = Environment.GetEnvironmentVariable("LEANPIPE_TEST_GOLDEN");
        if (string.IsNullOrEmpty(folder))
        {
            (Environment.GetEnvironmentVariable("CI") == "true").ShouldBeFalse("LEANPIPE_TEST_GOLDEN is not set, and CI must not skip");
            Assert.Skip("LEANPIPE_TEST_GOLDEN is not set; it names a folder with recorded exchanges, daprd-*-wire.jsonl.");
        }

        var files = Directory.GetFiles(folder, "daprd-*-wire.jsonl");
        files.ShouldNotBeEmpty();
        files.Sum(Check).ShouldBeGreaterThan(90);
    }

    static int Check(string file)
    {
        var checkedMessages = 0;
        foreach (var (line, number) in File.ReadLines(file).Select((text, index) => (JsonNode.Parse(text)!.AsObject(), index + 1)))
        {
            // Headers and the ends of streams have no bytes.
            if (line["hex"] is not { } hex)
                continue;
            var where = $"{Path.GetFileName(file)}, line {number}";
            var bytes = Convert.FromHexString((string)hex!);
            var message = Parsers[((string)line["m"]!, (string)line["dir"]!)].ParseFrom(bytes);
            var meaning = ProtoText.ToJson(message);
            JsonNode.DeepEquals(meaning, line["json"]).ShouldBeTrue($"{where}: read {meaning.ToJsonString()}, expected {line["json"]!.ToJsonString(JsonSerializerOptions.Default)}");
            Convert.ToHexString(message.ToByteArray()).ShouldBe(Convert.ToHexString(ProtoText.RouterInItsPlace(bytes, message.Descriptor)), where);
            checkedMessages++;
        }

        return checkedMessages;
    }
}
