using System.Text;
using LeanPipe.Contracts;
using LeanPipe.Gateway.Validation;

namespace LeanPipe.Unit.Gateway;

public sealed class ValidatorTests
{
    const string Rest = ",\"t\":\"2026-01-01T10:00:00Z\"}";

    static readonly Dictionary<string, FieldType> Types = new()
    {
        ["int"] = new Int64Type(),
        ["int1to9"] = new Int64Type(1, 9),
        ["float"] = new Float64Type(),
        ["float0to1"] = new Float64Type(0, 1),
        ["decimal"] = new DecimalType(6, 2),
        ["wide"] = new DecimalType(38, 18),
        ["bool"] = new BoolType(),
        ["string"] = new StringType(),
        ["code"] = new StringType(2, 4, "^[A-Z]+$"),
        ["bytes"] = new BytesType(5),
        ["enum"] = new EnumType(["Red", "Grün"]),
        ["list"] = new ListType(new Int64Type(), 1, 3),
        ["union"] = new UnionType([new Int64Type(), new StringType(), new ListType(new BoolType())]),
        ["record"] = new RecordType([new("a", new Int64Type()), new("b", new StringType(), Required: false, Nullable: true)]),
        ["open"] = new RecordType([new("a", new Int64Type())], ExtraFields.Ignore),
        ["rfc"] = new TimestampType(),
        ["custom"] = new TimestampType(TimestampUnit.Text, "yyyy-MM-dd HH:mm:ss"),
        ["s"] = new TimestampType(TimestampUnit.Seconds),
        ["ms"] = new TimestampType(TimestampUnit.Milliseconds),
        ["ns"] = new TimestampType(TimestampUnit.Nanoseconds),
    };

    static Verdict Judge(string type, string value) => JudgeFrame(type, Encoding.UTF8.GetBytes("{\"v\":" + value + Rest));

    static Verdict JudgeFrame(string type, byte[] frame)
    {
        var validator = new RecordValidator(new([new("v", Types[type]), new("t", new TimestampType())]), "t", canonicalTimestamps: false);
        var verdict = new Verdict();
        validator.Accepts(frame, verdict).ShouldBe(verdict.Code == RejectCode.None);
        return verdict;
    }

    [Theory]
    [InlineData("int", "5")]
    [InlineData("int", "-0")]
    [InlineData("int", "9223372036854775807")]
    [InlineData("int", "-9223372036854775808")]
    [InlineData("int1to9", "9")]
    [InlineData("float", "5")]
    [InlineData("float", "-1.5e-300")]
    [InlineData("float", "1.7976931348623157e308")]
    [InlineData("float0to1", "1.0")]
    [InlineData("decimal", "1234.56")]
    [InlineData("decimal", "\"1234.56\"")]
    [InlineData("decimal", "-0.500")]
    [InlineData("decimal", "-1.5E-1")]
    [InlineData("decimal", "1234")]
    [InlineData("wide", "\"12345678901234567890.123456789012345678\"")]
    [InlineData("wide", "123456789012.345")]
    [InlineData("wide", "0.000000000000012345")]
    [InlineData("bool", "false")]
    [InlineData("string", "\"\"")]
    [InlineData("string", "\"\\ud83d\\ude00 \\u0000\"")]
    [InlineData("code", "\"AB\"")]
    [InlineData("code", "\"\\u0041BCD\"")]
    [InlineData("bytes", "\"aGVsbG8=\"")]
    [InlineData("bytes", "\"\"")]
    [InlineData("enum", "\"Gr\\u00fcn\"")]
    [InlineData("list", "[1,2,3]")]
    [InlineData("union", "1")]
    [InlineData("union", "\"x\"")]
    [InlineData("union", "[true,false]")]
    [InlineData("record", "{\"a\":1}")]
    [InlineData("record", "{\"b\":null,\"a\":1}")]
    [InlineData("open", "{\"a\":1,\"x\":{\"a\":[1,{\"b\":\"\\n\"}]},\"y\":2}")]
    [InlineData("rfc", "\"2026-02-28 23:59:59.123456789-05:30\"")]
    [InlineData("custom", "\"2026-02-28 23:59:59\"")]
    [InlineData("s", "1700000000.1234567")]
    [InlineData("ms", "-1")]
    [InlineData("ns", "1700000000123456789")]
    public void Accepted(string type, string value) => Judge(type, value).Code.ShouldBe(RejectCode.None);

    [Theory]
    [InlineData("int", "\"5\"", "wrong_type")]
    [InlineData("int", "5.0", "wrong_type")]
    [InlineData("int", "5e0", "wrong_type")]
    [InlineData("int", "true", "wrong_type")]
    [InlineData("int", "[5]", "wrong_type")]
    [InlineData("int", "null", "null_value")]
    [InlineData("int", "9223372036854775808", "out_of_range")]
    [InlineData("int", "05", "bad_json")]
    [InlineData("int", "+5", "bad_json")]
    [InlineData("int1to9", "0", "out_of_range")]
    [InlineData("int1to9", "10", "out_of_range")]
    [InlineData("float", "NaN", "bad_json")]
    [InlineData("float", "Infinity", "bad_json")]
    [InlineData("float", "\"NaN\"", "wrong_type")]
    [InlineData("float", "1e999", "out_of_range")]
    [InlineData("float", "true", "wrong_type")]
    [InlineData("float", ".5", "bad_json")]
    [InlineData("float0to1", "1.0000001", "out_of_range")]
    [InlineData("decimal", "1.234", "too_precise")]
    [InlineData("decimal", "12345", "out_of_range")]
    [InlineData("decimal", "\"1e2\"", "wrong_type")]
    [InlineData("decimal", "1e4", "out_of_range")]
    [InlineData("decimal", "1.2e-2", "too_precise")]
    [InlineData("decimal", "\" 1\"", "wrong_type")]
    [InlineData("decimal", "\"\"", "wrong_type")]
    [InlineData("decimal", "\"01\"", "wrong_type")]
    [InlineData("wide", "1234567890.1234567", "too_precise")]
    [InlineData("bool", "1", "wrong_type")]
    [InlineData("bool", "\"true\"", "wrong_type")]
    [InlineData("bool", "True", "bad_json")]
    [InlineData("string", "5", "wrong_type")]
    [InlineData("string", "'x'", "bad_json")]
    [InlineData("string", "\"\\ud800\"", "bad_utf8")]
    [InlineData("string", "\"\\x41\"", "bad_json")]
    [InlineData("string", "\"a\tb\"", "bad_json")]
    [InlineData("code", "\"A\"", "too_short")]
    [InlineData("code", "\"ABCDE\"", "too_long")]
    [InlineData("code", "\"ab\"", "pattern_mismatch")]
    [InlineData("bytes", "\"aGVsbG8\"", "bad_base64")]
    [InlineData("bytes", "\"aGVs bG8=\"", "bad_base64")]
    [InlineData("bytes", "\"aGVsbG8gd29ybGQ=\"", "too_long")]
    [InlineData("enum", "\"red\"", "unknown_enum_value")]
    [InlineData("enum", "0", "wrong_type")]
    [InlineData("list", "[]", "too_few_items")]
    [InlineData("list", "[1,2,3,4]", "too_many_items")]
    [InlineData("list", "[1,\"2\"]", "wrong_type")]
    [InlineData("list", "[1,null]", "null_value")]
    [InlineData("list", "{}", "wrong_type")]
    [InlineData("union", "1.5", "no_union_member")]
    [InlineData("union", "[1]", "no_union_member")]
    [InlineData("record", "{}", "missing_field")]
    [InlineData("record", "{\"a\":1,\"c\":2}", "unknown_field")]
    [InlineData("record", "{\"a\":1,\"\\u0061\":2}", "duplicate_field")]
    [InlineData("record", "{\"A\":1}", "unknown_field")]
    [InlineData("open", "{\"a\":1,\"x\":\"\\udc00\"}", "bad_utf8")]
    [InlineData("open", "{\"a\":1,\"x\":1e999}", "out_of_range")]
    [InlineData("open", "{\"a\":1,\"x\":[1,]}", "bad_json")]
    [InlineData("rfc", "\"2026-02-29T00:00:00Z\"", "bad_timestamp")]
    [InlineData("rfc", "\"2026-02-28T00:00:00\"", "bad_timestamp")]
    [InlineData("rfc", "\"2026-02-28T00:00:60Z\"", "bad_timestamp")]
    [InlineData("rfc", "\"2026-02-28t00:00:00z\"", "bad_timestamp")]
    [InlineData("rfc", "1700000000", "wrong_type")]
    [InlineData("custom", "\"2026-02-28T23:59:59\"", "bad_timestamp")]
    [InlineData("s", "\"1700000000\"", "wrong_type")]
    [InlineData("s", "1e300", "bad_timestamp")]
    [InlineData("ms", "1.5", "bad_timestamp")]
    [InlineData("ms", "999999999999999", "bad_timestamp")]
    public void Refused(string type, string value, string code) => Judge(type, value).Code.Text().ShouldBe(code);

    [Theory]
    [InlineData("{\"v\":1,\"t\":\"2026-01-01T10:00:00Z\"} {}", "bad_json")]
    [InlineData("{\"v\":1,\"t\":\"2026-01-01T10:00:00Z\"", "bad_json")]
    [InlineData("{\"v\":1,\"t\":\"2026-01-01T10:00:00Z\",}", "bad_json")]
    [InlineData("[]", "wrong_type")]
    [InlineData("5", "wrong_type")]
    [InlineData(" ", "bad_json")]
    [InlineData("{\"v\":1}", "missing_field")]
    [InlineData("{}//", "missing_field")]
    [InlineData("\uFEFF{}", "bad_json")]
    public void A_frame_is_one_object_and_nothing_else(string frame, string code) => JudgeFrame("int", Encoding.UTF8.GetBytes(frame)).Code.Text().ShouldBe(code);

    [Fact]
    public void Bytes_that_are_no_UTF8_are_refused_where_they_stand()
    {
        var verdict = JudgeFrame("string", [.. "{\"v\":\"ab"u8, 0xC3, 0x28, .. "\""u8, .. Encoding.UTF8.GetBytes(Rest)]);
        (verdict.Code, verdict.Offset).ShouldBe((RejectCode.BadUtf8, 8));
    }

    [Fact]
    public void Nesting_has_a_limit()
    {
        Judge("open", "{\"a\":1,\"x\":" + new string('[', 62) + new string(']', 62) + "}").Code.ShouldBe(RejectCode.None);
        Judge("open", "{\"a\":1,\"x\":" + new string('[', 63) + new string(']', 63) + "}").Code.ShouldBe(RejectCode.TooDeep);
    }

    [Theory]
    [InlineData("record", "{\"a\":1,\"b\":2}", "v.b", 16)]
    [InlineData("list", "[1,2,\"x\"]", "v[2]", 10)]
    [InlineData("record", "{\"a\":1,\"zz\":2}", "v.zz", 12)]
    [InlineData("int", "true", "v", 5)]
    public void A_refusal_names_field_and_byte(string type, string value, string field, int offset)
    {
        var verdict = Judge(type, value);
        verdict.Field(Encoding.UTF8.GetBytes("{\"v\":" + value + Rest)).ShouldBe(field);
        verdict.Offset.ShouldBe(offset);
    }

    [Theory]
    [InlineData("2026-01-01T10:00:00Z", "2026-01-01T10:00:00.0000000Z")]
    [InlineData("2026-01-01T10:00:00.1234567+02:00", "2026-01-01T08:00:00.1234560Z")]
    public void The_event_time_is_an_instant_cut_to_microseconds(string text, string expected)
    {
        var validator = new RecordValidator(new([new("t", new TimestampType())]), "t", canonicalTimestamps: false);
        var verdict = new Verdict();
        validator.Accepts(Encoding.UTF8.GetBytes($"{{\"t\":\"{text}\"}}"), verdict).ShouldBeTrue();
        new DateTime(verdict.EventTicks, DateTimeKind.Utc).ToString("O").ShouldBe(expected);
    }

    [Fact]
    public void An_accepted_record_allocates_nothing()
    {
        var schema = new RecordType([.. Types.Select(t => new Field(t.Key, t.Value)), new("t", new TimestampType(TimestampUnit.Milliseconds))]);
        var frame = """
            {"int":5,"int1to9":3,"float":1.5,"float0to1":0.5,"decimal":"12.5","wide":1.5,"bool":true,"string":"h\u00e9llo","code":"ABC","bytes":"aGVsbG8=","enum":"Gr\u00fcn",
            "list":[1,2],"union":[true],"record":{"a":1,"b":null},"open":{"a":1,"x":[1,{"y":"\n"}]},"rfc":"2026-01-01T10:00:00Z","custom":"2026-01-01 10:00:00","s":1700000000.5,
            "ms":1700000000000,"ns":1700000000000000000,"t":1767261600000}
            """u8.ToArray();
        var validator = new RecordValidator(schema, "t", canonicalTimestamps: false);
        var verdict = new Verdict();
        for (var i = 0; i < 2_000; i++) validator.Accepts(frame, verdict).ShouldBeTrue();

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 20_000; i++) validator.Accepts(frame, verdict);
        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
    }
}
