using System.Data;
using System.Numerics;
using DuckDB.NET.Data;

namespace LeanPipe.Unit.DuckDb;

public sealed class ReaderTests : IDisposable
{
    readonly MemoryDatabase _database = new();

    public static TheoryData<string, object> Values => new()
    {
        { "true", true },
        { "(-128)::TINYINT", sbyte.MinValue },
        { "255::UTINYINT", byte.MaxValue },
        { "(-32768)::SMALLINT", short.MinValue },
        { "65535::USMALLINT", ushort.MaxValue },
        { "(-2147483648)::INTEGER", int.MinValue },
        { "4294967295::UINTEGER", uint.MaxValue },
        { "(-9223372036854775808)::BIGINT", long.MinValue },
        { "18446744073709551615::UBIGINT", ulong.MaxValue },
        { "170141183460469231731687303715884105727::HUGEINT", (BigInteger)Int128.MaxValue },
        { "(-170141183460469231731687303715884105728)::HUGEINT", (BigInteger)Int128.MinValue },
        { "340282366920938463463374607431768211455::UHUGEINT", (BigInteger)UInt128.MaxValue },
        { "1.5::FLOAT", 1.5f },
        { "'-inf'::DOUBLE", double.NegativeInfinity },
        { "(-1.25)::DECIMAL(4,2)", -1.25m },
        { "12345.678::DECIMAL(9,3)", 12345.678m },
        { "123456789012.3456::DECIMAL(18,4)", 123456789012.3456m },
        { "(-12345678901234567890.12345678)::DECIMAL(38,8)", -12345678901234567890.12345678m },
        { "0.5::DECIMAL(38,38)", 0.5m },
        { "''", "" },
        { "'twelve bytes'", "twelve bytes" },
        { "'thirteen byte'", "thirteen byte" },
        { "'Grüße, 世界 🌍 and more'", "Grüße, 世界 🌍 and more" },
        { "'b'::ENUM('a', 'b')", "b" },
        { "'010111010'::BIT", "010111010" },
        { "'a1a2a3a4-b1b2-c1c2-d1d2-e1e2e3e4e5e6'::UUID", Guid.Parse("a1a2a3a4-b1b2-c1c2-d1d2-e1e2e3e4e5e6") },
        { "'0fffffff-0000-0000-0000-000000000001'::UUID", Guid.Parse("0fffffff-0000-0000-0000-000000000001") },
        { "DATE '2024-02-29'", new DateOnly(2024, 2, 29) },
        { "DATE '0001-01-01'", DateOnly.MinValue },
        { "TIME '23:59:59.999999'", new TimeOnly(23, 59, 59, 999, 999) },
        { "TIMESTAMP '2024-01-02 03:04:05.678901'", new DateTime(2024, 1, 2, 3, 4, 5, 678, 901) },
        { "'1969-12-31 23:59:59'::TIMESTAMP_S", new DateTime(1969, 12, 31, 23, 59, 59) },
        { "'2024-01-02 03:04:05.123'::TIMESTAMP_MS", new DateTime(2024, 1, 2, 3, 4, 5, 123) },
        { "'2024-01-02 03:04:05.1234567'::TIMESTAMP_NS", new DateTime(2024, 1, 2, 3, 4, 5).AddTicks(1_234_567) },
        { "TIMESTAMPTZ '2024-01-02 03:04:05+02'", new DateTime(2024, 1, 2, 1, 4, 5, DateTimeKind.Utc) },
        { "INTERVAL '1 day 2 hours 0.5 seconds'", new TimeSpan(1, 2, 0, 0, 500) },
        { "[1, 2, 3]", new List<int> { 1, 2, 3 } },
        { "[1, NULL, 3]", new List<int?> { 1, null, 3 } },
        { "['a', NULL]", new List<string?> { "a", null } },
        { "[[1], [], [2, 3]]", new List<List<int>> { new() { 1 }, new(), new() { 2, 3 } } },
        { "[1.5, 2.5]::DOUBLE[2]", new List<double> { 1.5, 2.5 } },
        { "[]::VARCHAR[]", new List<string>() },
        { "{'a': 1, 'b': NULL::VARCHAR}", new Dictionary<string, object?> { ["a"] = 1, ["b"] = null } },
        { "MAP {'k': 1, 'l': 2}", new Dictionary<string, int> { ["k"] = 1, ["l"] = 2 } },
        { "MAP {'k': 1, 'l': NULL}", new Dictionary<string, int?> { ["k"] = 1, ["l"] = null } },
    };

    [Theory]
    [MemberData(nameof(Values))]
    public void A_value_of_every_type_reads_as_its_dotnet_form(string sql, object expected)
    {
        var value = _database.Scalar($"SELECT {sql}");

        value.ShouldBeOfType(expected.GetType());
        value.ShouldBeEquivalentTo(expected);
    }

    [Fact]
    public void A_blob_reads_as_a_stream_that_outlives_its_chunk()
    {
        var stream = (Stream)_database.Scalar(@"SELECT '\x00\xFF\x01'::BLOB")!;

        var bytes = new byte[3];
        stream.ReadExactly(bytes);
        bytes.ShouldBe([0, 255, 1]);
    }

    [Fact]
    public void Timestamps_have_the_UTC_kind_only_with_a_zone()
    {
        ((DateTime)_database.Scalar("SELECT TIMESTAMPTZ '2024-01-01 00:00:00+00'")!).Kind.ShouldBe(DateTimeKind.Utc);
        ((DateTime)_database.Scalar("SELECT TIMESTAMP '2024-01-01 00:00:00'")!).Kind.ShouldBe(DateTimeKind.Unspecified);
    }

    [Theory]
    [InlineData("'infinity'::TIMESTAMP")]
    [InlineData("'-infinity'::DATE")]
    [InlineData("DATE '20000-01-01'")]
    [InlineData("INTERVAL '1 month'")]
    public void A_value_that_dotnet_cannot_hold_says_what_to_cast_to(string sql)
    {
        Should.Throw<InvalidOperationException>(() => _database.Scalar($"SELECT {sql}")).Message.ShouldContain("VARCHAR");
    }

    [Fact]
    public void A_decimal_beyond_28_digits_is_rounded_and_a_larger_whole_part_overflows()
    {
        _database.Scalar<decimal>("SELECT '1.2345678901234567890123456789012345678'::DECIMAL(38,37)").ShouldBe(1.2345678901234567890123456789m, tolerance: 1e-27m);
        Should.Throw<OverflowException>(() => _database.Scalar("SELECT 99999999999999999999999999999999999999::DECIMAL(38,0)"));
    }

    [Fact]
    public void Rows_and_nulls_of_every_chunk_are_read()
    {
        using var command = _database.Command("SELECT i, CASE WHEN i % 3 = 0 THEN NULL ELSE 'value number ' || i END, [i, NULL] FROM range(10000) r(i)");
        using var reader = command.ExecuteReader();
        var row = 0L;
        for (; reader.Read(); row++)
        {
            reader.GetInt64(0).ShouldBe(row);
            reader.IsDBNull(1).ShouldBe(row % 3 == 0);
            if (row % 3 != 0)
                reader.GetString(1).ShouldBe($"value number {row}");
            reader.GetFieldValue<List<long?>>(2).ShouldBe([row, null]);
        }

        row.ShouldBe(10_000);
        reader.Read().ShouldBeFalse();
    }

    [Fact]
    public void Streamed_rows_are_the_rows()
    {
        using var command = _database.Command("SELECT i FROM range(100000) r(i)");
        command.UseStreamingMode = true;
        using var reader = command.ExecuteReader();
        var sum = 0L;
        while (reader.Read())
            sum += reader.GetInt64(0);
        sum.ShouldBe(100_000L * 99_999 / 2);
    }

    [Fact]
    public void An_error_in_the_middle_of_streamed_rows_is_thrown_not_read_as_the_end()
    {
        using var command = _database.Command("SELECT CASE WHEN i = 150000 THEN error('broken off') ELSE i END FROM range(200000) r(i)");
        command.UseStreamingMode = true;

        Should.Throw<DuckDBException>(() =>
        {
            using var reader = command.ExecuteReader();
            while (reader.Read())
                reader.GetValue(0);
        }).Message.ShouldContain("broken off");
    }

    [Fact]
    public void Numbers_are_converted_when_they_fit_and_refused_when_not()
    {
        _database.Scalar<long>("SELECT sum(i) FROM range(10) r(i)").ShouldBe(45);
        _database.Scalar<int>("SELECT 7::BIGINT").ShouldBe(7);
        _database.Scalar<double>("SELECT 1.5::DECIMAL(3,1)").ShouldBe(1.5);
        Should.Throw<OverflowException>(() => _database.Scalar<byte>("SELECT 256"));
        Should.Throw<InvalidCastException>(() => _database.Scalar<long>("SELECT 'text'")).Message.ShouldContain("Varchar");
    }

    [Fact]
    public void A_null_is_DBNull_or_the_null_of_a_nullable_type_and_else_refused()
    {
        _database.Scalar("SELECT NULL::INTEGER").ShouldBe(DBNull.Value);
        _database.Scalar<int?>("SELECT NULL::INTEGER").ShouldBeNull();
        _database.Scalar<int?>("SELECT 5").ShouldBe(5);
        Should.Throw<InvalidCastException>(() => _database.Scalar<int>("SELECT NULL::INTEGER AS x")).Message.ShouldContain("'x'");
    }

    [Fact]
    public void The_schema_table_names_columns_types_precision_and_scale()
    {
        using var command = _database.Command("SELECT 1.5::DECIMAL(12,3) AS amount, 'x' AS name WHERE false");
        using var reader = command.ExecuteReader();

        reader.HasRows.ShouldBeFalse();
        var rows = reader.GetSchemaTable().Rows.Cast<DataRow>().Select(row => (row["ColumnName"], row["DataType"], row["NumericPrecision"], row["NumericScale"]));
        rows.ShouldBe([("amount", typeof(decimal), (byte)12, (byte)3), ("name", typeof(string), DBNull.Value, DBNull.Value)]);
        reader.GetDataTypeName(0).ShouldBe("Decimal");
        reader.GetOrdinal("name").ShouldBe(1);
    }

    [Fact]
    public void Reading_before_the_first_or_after_the_last_row_is_refused()
    {
        using var command = _database.Command("SELECT 1");
        using var reader = command.ExecuteReader();
        Should.Throw<InvalidOperationException>(() => reader.GetInt32(0));
        reader.Read();
        reader.Read().ShouldBeFalse();
        Should.Throw<InvalidOperationException>(() => reader.GetInt32(0));
    }

    public void Dispose() => _database.Dispose();
}
