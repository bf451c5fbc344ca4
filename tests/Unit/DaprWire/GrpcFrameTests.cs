using System.Buffers;
using System.IO.Pipelines;
using Google.Protobuf;
using LeanPipe.DaprWire;

namespace LeanPipe.Unit.DaprWire;

public sealed class GrpcFrameTests
{
    static readonly byte[] TwoFrames =
        [.. GrpcFrames.ToBytes(new CreateInstanceResponse { InstanceId = "abc" }), .. GrpcFrames.ToBytes(new CompleteTaskResponse())];

    [Fact]
    public void A_frame_is_a_zero_flag_a_big_endian_length_and_the_message()
    {
        Convert.ToHexString(TwoFrames).ShouldBe("0000000005" + "0A03616263" + "0000000000");
    }

    [Fact]
    public void A_buffer_writer_gets_the_same_bytes()
    {
        var buffer = new ArrayBufferWriter<byte>();
        GrpcFrames.Write(buffer, new CreateInstanceResponse { InstanceId = "abc" }).ShouldBe(10);
        GrpcFrames.Write(buffer, new CompleteTaskResponse()).ShouldBe(5);
        buffer.WrittenSpan.ToArray().ShouldBe(TwoFrames);
    }

    [Fact]
    public async Task Cut_at_every_byte_a_stream_gives_the_whole_messages_and_then_its_end_or_truncated()
    {
        for (var cut = 0; cut <= TwoFrames.Length; cut++)
        {
            var stream = new MemoryStream(TwoFrames[..cut]);
            var faults = new List<GrpcFrameFault>();
            do
                faults.Add((await GrpcFrames.ReadAsync(stream)).Fault);
            while (faults[^1] == GrpcFrameFault.None);

            faults.Count.ShouldBe(cut < 10 ? 1 : cut < 15 ? 2 : 3, $"cut at {cut}");
            faults[^1].ShouldBe(cut is 0 or 10 or 15 ? GrpcFrameFault.End : GrpcFrameFault.Truncated, $"cut at {cut}");
        }
    }

    [Fact]
    public async Task Fed_byte_by_byte_a_pipe_gives_both_messages()
    {
        var pipe = new Pipe();
        var first = GrpcFrames.ReadAsync(pipe.Reader).AsTask();
        foreach (var b in TwoFrames)
            await pipe.Writer.WriteAsync(new[] { b });
        await pipe.Writer.CompleteAsync();

        var frame = await first;
        frame.TryParse(CreateInstanceResponse.Parser, out var message).ShouldBeTrue();
        message.InstanceId.ShouldBe("abc");
        (await GrpcFrames.ReadAsync(pipe.Reader)).HasMessage.ShouldBeTrue();
        (await GrpcFrames.ReadAsync(pipe.Reader)).Fault.ShouldBe(GrpcFrameFault.End);
    }

    [Theory]
    [InlineData("0000000006", GrpcFrameFault.TooLarge, 6)]
    [InlineData("00FFFFFFFF", GrpcFrameFault.TooLarge, 4294967295)]
    [InlineData("0100000001", GrpcFrameFault.Compressed, 1)]
    public async Task What_may_not_be_read_is_named_before_its_bytes_are_read(string prefix, GrpcFrameFault fault, long announced)
    {
        var bytes = Convert.FromHexString(prefix);
        (await GrpcFrames.ReadAsync(new MemoryStream(bytes), maxMessageBytes: 5)).ShouldBe(new GrpcFrame(fault, default, announced));
        (await GrpcFrames.ReadAsync(PipeReader.Create(new MemoryStream(bytes)), maxMessageBytes: 5)).ShouldBe(new GrpcFrame(fault, default, announced));
    }

    [Fact]
    public void Bytes_that_are_no_message_are_refused_without_an_exception() =>
        new GrpcFrame(GrpcFrameFault.None, new byte[] { 0x0A, 0x05, 0x61 }, 3).TryParse(CreateInstanceResponse.Parser, out CreateInstanceResponse _).ShouldBeFalse();

    [Theory]
    [InlineData("plain text, as it is!", "plain text, as it is!")]
    [InlineData("100 %", "100 %25")]
    [InlineData("a\nb", "a%0Ab")]
    [InlineData("Größe", "Gr%C3%B6%C3%9Fe")]
    public void A_status_message_is_percent_encoded_utf8(string text, string encoded)
    {
        GrpcHeaders.EncodeMessage(text).ShouldBe(encoded);
        GrpcHeaders.DecodeMessage(encoded).ShouldBe(text);
    }

    [Theory]
    [InlineData("50%")]
    [InlineData("50%2")]
    [InlineData("50%zz")]
    public void A_broken_escape_is_left_as_it_stands(string encoded) => GrpcHeaders.DecodeMessage(encoded).ShouldBe(encoded);

    [Fact]
    public void Paths_carry_the_bare_service_name() =>
        TaskHubPaths.CompleteOrchestratorTask.ShouldBe("/TaskHubSidecarService/CompleteOrchestratorTask");

    [Fact]
    public void Unknown_fields_survive_a_decode_and_encode()
    {
        // TaskCompleted with an attestation (field 4), which the schema here leaves out.
        var bytes = Convert.FromHexString("0801" + "12030A0131" + "22020A00");
        TaskCompletedEvent.Parser.ParseFrom(bytes).ToByteArray().ShouldBe(bytes);
    }
}
