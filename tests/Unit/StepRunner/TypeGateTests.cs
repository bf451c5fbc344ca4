using LeanPipe.Contracts;
using LeanPipe.StepRunner;

namespace LeanPipe.Unit.StepRunner;

public sealed class TypeGateTests
{
    [Theory]
    [InlineData("BOOLEAN")]
    [InlineData("TINYINT")]
    [InlineData("SMALLINT")]
    [InlineData("INTEGER")]
    [InlineData("BIGINT")]
    [InlineData("FLOAT")]
    [InlineData("DOUBLE")]
    [InlineData("DECIMAL(38,2)")]
    [InlineData("VARCHAR")]
    [InlineData("BLOB")]
    [InlineData("DATE")]
    [InlineData("TIMESTAMP WITH TIME ZONE")]
    [InlineData("BIGINT[][]")]
    [InlineData("STRUCT(a INTEGER, \"b, c)\" STRUCT(d VARCHAR[], \"q\"\"x\" DECIMAL(18,3)))")]
    [InlineData("MAP(VARCHAR, STRUCT(a BIGINT)[])")]
    public void A_type_that_every_reader_has_is_kept(string type) => TypeGate.Judge(type).ShouldBe(new ColumnVerdict(type));

    [Theory]
    [InlineData("UTINYINT", "SMALLINT")]
    [InlineData("USMALLINT", "INTEGER")]
    [InlineData("UINTEGER", "BIGINT")]
    [InlineData("UUID", "VARCHAR")]
    [InlineData("JSON", "VARCHAR")]
    [InlineData("ENUM('a', 'it''s, (b')", "VARCHAR")]
    [InlineData("INTEGER[3]", "INTEGER[]")]
    [InlineData("UTINYINT[2][]", "SMALLINT[][]")]
    [InlineData("STRUCT(\"x y\" UINTEGER, e ENUM('a', 'b'), z DATE)", "STRUCT(\"x y\" BIGINT, e VARCHAR, z DATE)")]
    [InlineData("MAP(UUID, USMALLINT)", "MAP(VARCHAR, INTEGER)")]
    public void A_type_without_a_counterpart_is_cast_when_nothing_is_lost(string type, string target) => TypeGate.Judge(type).ShouldBe(new ColumnVerdict(target));

    [Theory]
    [InlineData("HUGEINT", "CAST(x AS BIGINT)")]
    [InlineData("UHUGEINT", "CAST(x AS BIGINT)")]
    [InlineData("UBIGINT", "CAST(x AS BIGINT)")]
    [InlineData("BIGNUM", "CAST(x AS BIGINT)")]
    [InlineData("TIMESTAMP", "x AT TIME ZONE 'UTC'")]
    [InlineData("TIMESTAMP_S", "CAST(x AS TIMESTAMP) AT TIME ZONE 'UTC'")]
    [InlineData("TIMESTAMP_MS", "CAST(x AS TIMESTAMP) AT TIME ZONE 'UTC'")]
    [InlineData("TIMESTAMP_NS", "CAST(x AS TIMESTAMP) AT TIME ZONE 'UTC'")]
    [InlineData("TIME", "CAST(x AS VARCHAR)")]
    [InlineData("TIME WITH TIME ZONE", "CAST(x AS VARCHAR)")]
    [InlineData("INTERVAL", "epoch(x)")]
    [InlineData("BIT", "CAST(x AS VARCHAR)")]
    [InlineData("UNION(a INTEGER, b VARCHAR)", "CAST(x AS VARCHAR)")]
    [InlineData("SOMETHING NEW", "CAST(x AS VARCHAR)")]
    [InlineData("STRUCT(a HUGEINT, b UUID)", "CAST(x AS STRUCT(a BIGINT, b VARCHAR))")]
    [InlineData("TIMESTAMP[]", "CAST(x AS TIMESTAMP WITH TIME ZONE[])")]
    public void A_type_that_would_lose_something_is_refused_with_the_text_that_repairs_it(string type, string repair)
    {
        var refused = Should.Throw<TaskException>(() => SchemaGate.Pass([new("x", type)]));
        refused.Code.ShouldBe("schema.refused");
        refused.Message.ShouldContain($"x is {type}, ");
        refused.Message.ShouldContain($": write {repair}.");
    }

    [Theory]
    [InlineData("STRUCT(\"x y\" INTEGER, z DATE)", "x y", "x_y")]
    [InlineData("STRUCT(a STRUCT(\"b.c\" INTEGER)[])[]", "b.c", "bc")]
    [InlineData("MAP(VARCHAR, STRUCT(\"q=\" INTEGER))", "q=", "q")]
    public void A_field_whose_name_a_table_refuses_is_refused_however_deep_it_lies(string type, string field, string suggested)
    {
        var message = Should.Throw<TaskException>(() => SchemaGate.Pass([new("x", type)])).Message;
        message.ShouldContain($"x has a field {field}, which has no plain name: write struct_pack({suggested.Replace("_", "", StringComparison.Ordinal)} := x.\"{field}\", …)");
    }

    [Fact]
    public void All_columns_at_fault_are_named_at_once()
    {
        var message = Should.Throw<TaskException>(() => SchemaGate.Pass(
            [new("total", "HUGEINT"), new("fine", "BIGINT"), new("At", "TIMESTAMP"), new("count_star()", "BIGINT"), new("Fine", "DATE")])).Message;
        message.ShouldContain("write CAST(total AS BIGINT)");
        message.ShouldContain("write \"At\" AT TIME ZONE 'UTC'");
        message.ShouldContain("count_star() has no plain name: write … AS count_star");
        message.ShouldContain("Fine stands there twice");
        message.ShouldNotContain("fine is");
    }

    [Fact]
    public void What_passes_comes_back_with_the_types_it_is_written_as() =>
        SchemaGate.Pass([new("id", "UINTEGER"), new("name", "VARCHAR")]).ShouldBe([new OutputColumn("id", "BIGINT"), new OutputColumn("name", "VARCHAR")]);
}
