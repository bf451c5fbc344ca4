using System.Text;
using LeanPipe.Contracts;

namespace LeanPipe.Unit.Warm;

public sealed class WarmWireTests
{
    [Fact]
    public void A_request_is_this_line_and_is_read_back()
    {
        var request = new WarmRequest("1.2.3", "secret", new("s3://lake/plant"), "runs/r/s/00000/task.json", 1, TimeSpan.FromHours(1));
        var line = WarmWire.Line(request);
        Encoding.UTF8.GetString(line).ShouldBe("""{"release":"1.2.3","token":"secret","lake":"s3://lake/plant","task":"runs/r/s/00000/task.json","attempt":1,"timeout":"01:00:00"}""" + "\n");
        WarmWire.Request(line.AsSpan(0, line.Length - 1)).ShouldBe(request);
    }

    [Theory]
    [InlineData(WarmState.Taken, null, null, """{"state":"taken"}""")]
    [InlineData(WarmState.Busy, null, null, """{"state":"busy"}""")]
    [InlineData(WarmState.Alive, null, null, """{"state":"alive"}""")]
    [InlineData(WarmState.Refused, "why", null, """{"state":"refused","text":"why"}""")]
    [InlineData(WarmState.Ended, "the end", 137, """{"state":"ended","text":"the end","exit_code":137}""")]
    public void A_reply_is_this_line_and_is_read_back(WarmState state, string? text, int? code, string expected)
    {
        var reply = new WarmReply(state, text, code);
        Encoding.UTF8.GetString(WarmWire.Line(reply)).ShouldBe(expected + "\n");
        WarmWire.Reply(Encoding.UTF8.GetBytes(expected)).ShouldBe(reply);
    }

    [Theory]
    [InlineData("")]
    [InlineData("GET / HTTP/1.1\r")]
    [InlineData("{}")]
    [InlineData("""{"release":"1","token":null,"lake":"s3://lake","task":"t","attempt":1,"timeout":"01:00:00"}""")]
    [InlineData("""{"release":"1","token":"t","lake":"s3://lake","task":"t","attempt":"x","timeout":"01:00:00"}""")]
    public void Anything_else_is_no_request(string line) => WarmWire.Request(Encoding.UTF8.GetBytes(line)).ShouldBeNull();

    [Fact]
    public void What_is_newer_is_read_by_what_is_older() => WarmWire.Reply("""{"state":"ended","exit_code":0,"more":[1]}"""u8).ShouldBe(new(WarmState.Ended, ExitCode: 0));
}
