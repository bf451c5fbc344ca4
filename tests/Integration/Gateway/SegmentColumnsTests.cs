using System.Globalization;
using System.Numerics;
using DuckDB.NET.Data;
using LeanPipe.Contracts;
using LeanPipe.Gateway.Decoding;
using LeanPipe.Gateway.Validation;

namespace LeanPipe.Integration.Gateway;

/// <summary>What a manifest says about columns, executed by the real DuckDB over bytes that the real validator accepted.</summary>
public sealed class SegmentColumnsTests : IDisposable
{
    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("leanpipe-columns-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("int", "9223372036854775807", "BIGINT", "9223372036854775807")]
    [InlineData("float", "5e-324", "DOUBLE", "5e-324")]
    [InlineData("int", "-0", "BIGINT", "0")]
    [InlineData("float", "123456789012345678901234567890", "DOUBLE", "1.2345678901234568e+29")]
    [InlineData("float", "-0.0", "DOUBLE", "-0.0")]
    [InlineData("float", "1e-400", "DOUBLE", "0.0")]
    [InlineData("float", "1E5", "DOUBLE", "100000.0")]
    [InlineData("wide", "99999999999999900000000000000000000000", "DECIMAL(38,0)", "99999999999999900000000000000000000000")]
    [InlineData("wide", "-123456789012345000000000", "DECIMAL(38,0)", "-123456789012345000000000")]
    [InlineData("wide", "10000000000000000000000000000000000000", "DECIMAL(38,0)", "10000000000000000000000000000000000000")]
    [InlineData("wide", "\"-0\"", "DECIMAL(38,0)", "0")]
    [InlineData("decimal", "0.000000000000000001", "DECIMAL(38,18)", "0.000000000000000001")]
    [InlineData("bytes", "\"\"", "BLOB", "")]
    [InlineData("rfc", "\"2026-01-01T10:00:00-00:30\"", "TIMESTAMP WITH TIME ZONE", "2026-01-01 10:30:00+00")]
    [InlineData("rfc", "\"0001-01-01T00:00:00Z\"", "TIMESTAMP WITH TIME ZONE", "0001-01-01 00:00:00+00")]
    [InlineData("rfc", "\"9999-12-31T23:59:59.999999Z\"", "TIMESTAMP WITH TIME ZONE", "9999-12-31 23:59:59.999999+00")]
    [InlineData("rfc", "\"0001-01-01T23:59:00+23:59\"", "TIMESTAMP WITH TIME ZONE", "0001-01-01 00:00:00+00")]
    [InlineData("custom", "\"28/02/0001 23:59:59.000\"", "TIMESTAMP WITH TIME ZONE", "0001-02-28 23:59:59+00")]
    [InlineData("month", "\"01-JAN-2026\"", "TIMESTAMP WITH TIME ZONE", "2026-01-01 00:00:00+00")]
    [InlineData("zoned", "\"2026-02-28 23:59:59 +0200\"", "TIMESTAMP WITH TIME ZONE", "2026-02-28 21:59:59+00")]
    [InlineData("zoned", "\"2026-02-28 23:59:59 -00:30\"", "TIMESTAMP WITH TIME ZONE", "2026-03-01 00:29:59+00")]
    [InlineData("ms", "253402300799999", "TIMESTAMP WITH TIME ZONE", "9999-12-31 23:59:59.999+00")]
    [InlineData("us", "-62135596800000000", "TIMESTAMP WITH TIME ZONE", "0001-01-01 00:00:00+00")]
    [InlineData("ns", "-1", "TIMESTAMP WITH TIME ZONE", "1970-01-01 00:00:00+00")]
    [InlineData("s", "253402300799.5", "TIMESTAMP WITH TIME ZONE", "9999-12-31 23:59:59.5+00")]
    [InlineData("decimal", "123456789012.345", "DECIMAL(38,18)", "123456789012.345000000000000000")]
    [InlineData("decimal", "0.000000000012345", "DECIMAL(38,18)", "0.000000000012345000")]
    [InlineData("decimal", "\"12345678901234567890.123456789012345678\"", "DECIMAL(38,18)", "12345678901234567890.123456789012345678")]
    [InlineData("decimal", "1.5E-2", "DECIMAL(38,18)", "0.015000000000000000")]
    [InlineData("decimal", "12345e15", "DECIMAL(38,18)", "12345000000000000000.000000000000000000")]
    [InlineData("decimal", "-0e5", "DECIMAL(38,18)", "0.000000000000000000")]
    [InlineData("decimal", "0e999999999999", "DECIMAL(38,18)", "0.000000000000000000")]
    [InlineData("wide", "1e37", "DECIMAL(38,0)", "10000000000000000000000000000000000000")]
    [InlineData("wide", "123456789012345e23", "DECIMAL(38,0)", "12345678901234500000000000000000000000")]
    [InlineData("fraction", "0.00001", "DECIMAL(5,5)", ".00001")]
    [InlineData("fraction", "-1.2e-4", "DECIMAL(5,5)", "-.00012")]
    [InlineData("fraction", "\"0.00001\"", "DECIMAL(5,5)", ".00001")]
    [InlineData("tiny", "1e-37", "DECIMAL(37,37)", ".0000000000000000000000000000000000001")]
    [InlineData("bool", "true", "BOOLEAN", "true")]
    [InlineData("string", "\"a\\u0000\\ud83d\\ude00\"", "VARCHAR", "a\0😀")]
    [InlineData("bytes", "\"aGVsbG8=\"", "BLOB", "hello")]
    [InlineData("rfc", "\"2026-01-01T10:59:59.9999999+02:00\"", "TIMESTAMP WITH TIME ZONE", "2026-01-01 08:59:59.999999+00")]
    [InlineData("custom", "\"28/02/2026 23:59:59.250\"", "TIMESTAMP WITH TIME ZONE", "2026-02-28 23:59:59.25+00")]
    [InlineData("zoned", "\"2026-02-28 23:59:59 +02:00\"", "TIMESTAMP WITH TIME ZONE", "2026-02-28 21:59:59+00")]
    [InlineData("s", "1718000000.1234567", "TIMESTAMP WITH TIME ZONE", "2024-06-10 06:13:20.123457+00")]
    [InlineData("ms", "-1", "TIMESTAMP WITH TIME ZONE", "1969-12-31 23:59:59.999+00")]
    [InlineData("us", "1700000000123456", "TIMESTAMP WITH TIME ZONE", "2023-11-14 22:13:20.123456+00")]
    [InlineData("ns", "1700000000123456789", "TIMESTAMP WITH TIME ZONE", "2023-11-14 22:13:20.123456+00")]
    [InlineData("enum", "\"a\"", "VARCHAR", "a")]
    [InlineData("list", "[1,2]", "BIGINT[]", "[1, 2]")]
    [InlineData("times", "[1700000000000]", "TIMESTAMP WITH TIME ZONE[]", "['2023-11-14 22:13:20+00']")]
    [InlineData("union", "[1,\"x\"]", "JSON", "[1,\"x\"]")]
    [InlineData("kept", """{"a":1,"extra":{"b":[true]}}""", "STRUCT(a BIGINT, extra JSON)", "{'a': 1, 'extra': '{\"b\":[true]}'}")]
    [InlineData("nested", """[{"a b":{"t":1700000000000,"n":1},"d":"0.10"}]""",
        "STRUCT(\"a b\" STRUCT(t TIMESTAMP WITH TIME ZONE, n BIGINT), d DECIMAL(18,3))[]", "[{'a b': {'t': '2023-11-14 22:13:20+00', 'n': 1}, 'd': 0.100}]")]
    public void A_value_becomes_a_column_of_its_type(string type, string json, string duckType, string expected)
    {
        var schema = new RecordType([new("The \"v\"", Types[type], Required: false, Nullable: true), new("t", new TimestampType())]);
        var line = "{\"The \\\"v\\\"\":" + json + ",\"t\":\"2026-01-01T10:00:00Z\"}";
        var verdict = new Verdict();
        new RecordValidator(schema, "t", canonicalTimestamps: false).Accepts(System.Text.Encoding.UTF8.GetBytes(line), verdict).ShouldBeTrue($"{verdict.Code}");

        var found = Read(schema, line, "{\"t\":\"2026-01-01T10:00:00Z\"}", "{\"The \\\"v\\\"\":null,\"t\":\"2026-01-01T10:00:00Z\"}");
        found.ShouldBe([(duckType, expected), (duckType, null), (duckType, null)]);
    }

    [Theory, InlineData(18, 6), InlineData(38, 18), InlineData(5, 5), InlineData(38, 0), InlineData(15, 2), InlineData(37, 37), InlineData(38, 37)]
    public void Whatever_number_a_decimal_accepts_DuckDB_reads_without_rounding(int precision, int scale)
    {
        var random = new Random(precision * 100 + scale);
        var schema = new RecordType([new("v", new DecimalType(precision, scale)), new("t", new TimestampType())]);
        var validator = new RecordValidator(schema, "t", canonicalTimestamps: false);
        var (lines, expected) = (new List<string>(), new List<string?>());
        while (lines.Count < 3000)
        {
            var digits = random.NextInt64(1, (long)Math.Pow(10, random.Next(1, 16))).ToString(CultureInfo.InvariantCulture);
            var point = random.Next(1, digits.Length + 1);
            var exponent = random.Next(-precision, precision);
            var number = (random.Next(2) == 0 ? "-" : "") + digits[..point] + (point < digits.Length ? "." + digits[point..] : "") + random.Next(3) switch { 0 => "", 1 => $"e{exponent}", _ => $"E{exponent:+0;-0}" };
            var line = $"{{\"v\":{number},\"t\":\"2026-01-01T10:00:00Z\"}}";
            if (!validator.Accepts(System.Text.Encoding.UTF8.GetBytes(line), new Verdict())) continue;
            lines.Add(line);
            expected.Add(Exactly(number, precision, scale));
        }
        var read = Read(schema, [.. lines]).ConvertAll(r => r.Value);
        for (var i = 0; i < lines.Count; i++) read[i].ShouldBe(expected[i], lines[i]);
    }

    /// <summary>As DuckDB writes a decimal, worked out with whole numbers of any size.</summary>
    static string Exactly(string number, int precision, int scale)
    {
        var parts = number.TrimStart('-').ToLowerInvariant().Split('e');
        var point = parts[0].IndexOf('.', StringComparison.Ordinal);
        var power = scale + (parts.Length > 1 ? int.Parse(parts[1], CultureInfo.InvariantCulture) : 0) - (point < 0 ? 0 : parts[0].Length - point - 1);
        var value = BigInteger.Parse(parts[0].Replace(".", "", StringComparison.Ordinal), CultureInfo.InvariantCulture);
        value = power >= 0 ? value * BigInteger.Pow(10, power) : value / BigInteger.Pow(10, -power);
        var text = value.ToString(CultureInfo.InvariantCulture).PadLeft(scale + 1, '0');
        return (number[0] == '-' ? "-" : "") + (precision > scale ? text[..^scale] : "") + (scale > 0 ? "." + text[^scale..] : "");
    }

    [Theory]
    [InlineData("1e999")]
    [InlineData("-1E+400")]
    [InlineData("123456789012345678901234567890123456789012345678901234567890")]
    [InlineData("\"\\u0000\"")]
    [InlineData("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]")]
    [InlineData("{\"a\":1,\"a\":2}")]
    [InlineData("\"\\ud83d\\ude00\"")]
    public void A_field_that_nobody_declared_spoils_no_segment(string json)
    {
        foreach (var extra in (ExtraFields[])[ExtraFields.Ignore, ExtraFields.Keep])
        {
            var schema = new RecordType([new("v", new Int64Type()), new("t", new TimestampType())], extra);
            var line = $"{{\"v\":1,\"odd\":{json},\"t\":\"2026-01-01T10:00:00Z\"}}";
            if (!new RecordValidator(schema, "t", canonicalTimestamps: false).Accepts(System.Text.Encoding.UTF8.GetBytes(line), new Verdict())) continue;
            Read(schema, line, "{\"v\":2,\"t\":\"2026-01-01T10:00:00Z\"}").ShouldBe([("BIGINT", "1"), ("BIGINT", "2")]);
        }
    }

    static readonly Dictionary<string, FieldType> Types = new()
    {
        ["int"] = new Int64Type(),
        ["float"] = new Float64Type(),
        ["decimal"] = new DecimalType(38, 18),
        ["wide"] = new DecimalType(38, 0),
        ["fraction"] = new DecimalType(5, 5),
        ["tiny"] = new DecimalType(37, 37),
        ["month"] = new TimestampType(TimestampUnit.Text, "dd-MMM-yyyy"),
        ["bool"] = new BoolType(),
        ["string"] = new StringType(),
        ["bytes"] = new BytesType(),
        ["rfc"] = new TimestampType(),
        ["custom"] = new TimestampType(TimestampUnit.Text, "dd/MM/yyyy HH:mm:ss.fff"),
        ["zoned"] = new TimestampType(TimestampUnit.Text, "yyyy-MM-dd HH:mm:ss zzz"),
        ["s"] = new TimestampType(TimestampUnit.Seconds),
        ["ms"] = new TimestampType(TimestampUnit.Milliseconds),
        ["us"] = new TimestampType(TimestampUnit.Microseconds),
        ["ns"] = new TimestampType(TimestampUnit.Nanoseconds),
        ["enum"] = new EnumType(["a"]),
        ["list"] = new ListType(new Int64Type()),
        ["times"] = new ListType(new TimestampType(TimestampUnit.Milliseconds)),
        ["union"] = new UnionType([new BoolType(), new ListType(new UnionType([new Int64Type(), new StringType()]))]),
        ["kept"] = new RecordType([new("a", new Int64Type()), new("extra", new RecordType([], ExtraFields.Ignore), Required: false)]),
        ["nested"] = new ListType(new RecordType([
            new("a b", new RecordType([new("t", new TimestampType(TimestampUnit.Milliseconds)), new("n", new Int64Type())])), new("d", new DecimalType())])),
    };

    List<(string Type, string? Value)> Read(RecordType schema, params string[] lines)
    {
        var path = Path.Combine(_folder.FullName, "segment.ndjson");
        File.WriteAllText(path, string.Concat(lines.Select(l => l + "\n")));
        var columns = SegmentColumns.Of(schema, canonicalTimestamps: false);
        var names = string.Join(", ", columns.Select(c => $"{Sql(c.Name)}: '{c.ReadAs.Replace("'", "''", StringComparison.Ordinal)}'"));
        var expression = columns[0].Expression ?? Sql(columns[0].Name);

        using var connection = new DuckDBConnection("DataSource=:memory:");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = $"SET TimeZone = 'UTC'; SELECT typeof(v), v::VARCHAR FROM (SELECT {expression} AS v FROM read_json('{path}', format = 'newline_delimited', columns = {{{names}}}))";
        using var reader = command.ExecuteReader();
        while (reader.FieldCount < 2) reader.NextResult();
        var rows = new List<(string, string?)>();
        while (reader.Read()) rows.Add((reader.GetString(0), reader.IsDBNull(1) ? null : reader.GetString(1)));
        return rows;
    }

    static string Sql(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
