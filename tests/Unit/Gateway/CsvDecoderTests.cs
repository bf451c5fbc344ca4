using System.Buffers;
using System.Text;
using LeanPipe.Contracts;
using LeanPipe.Gateway.Decoding;
using LeanPipe.Gateway.Validation;

namespace LeanPipe.Unit.Gateway;

public sealed class CsvDecoderTests
{
    static readonly RecordType Schema = new([
        new("t", new TimestampType(TimestampUnit.Text, "yyyy-MM-dd HH:mm:ss")), new("value", new Float64Type(Max: 1000)), new("note", new StringType(), Required: false),
        new("price", new DecimalType(20, 4), Nullable: true), new("sensor", new StringType())]);

    static readonly CsvDecoderDefinition Definition = new(
        ["t", "value", "note", "price"], Header: true, Constants: new Dictionary<string, string> { ["sensor"] = "ma\"chine" });

    static (string Json, RejectCode Code, string Field, int Offset) Decode(string line)
    {
        var decoder = new CsvDecoder(Definition, Schema);
        var validator = new RecordValidator(Schema, "t", canonicalTimestamps: true);
        var (verdict, target) = (new Verdict(), new ArrayBufferWriter<byte>());
        if (!decoder.TryDecode(Encoding.UTF8.GetBytes(line), default, target, verdict)) return ("", verdict.Code, verdict.Field([]), verdict.Offset);
        var accepted = validator.Accepts(target.WrittenSpan, verdict);
        return (Encoding.UTF8.GetString(target.WrittenSpan), verdict.Code, verdict.Field(target.WrittenSpan), accepted ? 0 : decoder.OffsetInFrame(verdict));
    }

    [Theory]
    [InlineData("2013-07-04 00:00:00,69.88,hello,1.5", """{"sensor":"ma\"chine","t":"2013-07-04T00:00:00Z","value":69.88,"note":"hello","price":"1.5"}""")]
    [InlineData("2013-07-04 00:00:00,1e-5,,", """{"sensor":"ma\"chine","t":"2013-07-04T00:00:00Z","value":1e-5,"price":null}""")]
    [InlineData("\"2013-07-04 00:00:00\",-1,\"a,\"\"b\"\"\",0", """{"sensor":"ma\"chine","t":"2013-07-04T00:00:00Z","value":-1,"note":"a,\"b\"","price":"0"}""")]
    [InlineData("2013-07-04 00:00:00,1,\"\",0", """{"sensor":"ma\"chine","t":"2013-07-04T00:00:00Z","value":1,"note":"","price":"0"}""")]
    public void A_line_becomes_the_record_that_its_columns_say(string line, string json) => Decode(line).ShouldBe((json, RejectCode.None, "", 0));

    [Theory]
    [InlineData("2013-07-04 00:00:00,,x,1", "wrong_type", "value", 20)]
    [InlineData("2013-07-04 00:00:00, 1,x,1", "wrong_type", "value", 20)]
    [InlineData("2013-07-04 00:00:00,1001,x,1", "out_of_range", "value", 20)]
    [InlineData("2013-07-04,1,x,1", "bad_timestamp", "t", 0)]
    [InlineData("2013-07-04 00:00:00,1,x", "wrong_cell_count", "", 23)]
    [InlineData("2013-07-04 00:00:00,1,x,1,2", "wrong_cell_count", "", 26)]
    [InlineData("2013-07-04 00:00:00,1,x\"y,1", "bad_csv", "", 22)]
    [InlineData("2013-07-04 00:00:00,1,\"x\"y,1", "bad_csv", "", 23)]
    [InlineData("2013-07-04 00:00:00,1,\"x,1", "bad_csv", "", 22)]
    [InlineData("2013-07-04 00:00:00,1,x,1.23456", "too_precise", "price", 24)]
    public void A_line_that_is_no_record_says_where(string line, string code, string field, int offset)
    {
        var found = Decode(line);
        (found.Code.Text(), found.Field, found.Offset).ShouldBe((code, field, offset));
    }

    [Theory]
    [InlineData("t,value,note,price", true)]
    [InlineData("\uFEFFt,\"value\",note,price", true)]
    [InlineData("t,value,note", false)]
    [InlineData("t,value,price,note", false)]
    [InlineData("t,value,note,price,", false)]
    public void A_header_names_the_columns_in_their_order(string line, bool isHeader) =>
        new CsvDecoder(Definition, Schema).IsHeader(Encoding.UTF8.GetBytes(line)).ShouldBe(isHeader);

    [Fact]
    public void A_wrong_constant_is_refused_when_the_stream_is_opened() =>
        Should.Throw<LeanPipeException>(() => new CsvDecoder(Definition with { Constants = new Dictionary<string, string> { ["value"] = "x" } }, Schema))
            .Code.ShouldBe("gateway.bad_schema");
}
