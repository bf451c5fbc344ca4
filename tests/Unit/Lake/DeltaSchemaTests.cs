using LeanPipe.Contracts;
using LeanPipe.Lake;
using LeanPipe.Tables;

namespace LeanPipe.Unit.Lake;

public sealed class DeltaSchemaTests
{
    [Theory]
    [InlineData("BIGINT", "\"long\"")]
    [InlineData("DECIMAL(18,3)", "\"decimal(18,3)\"")]
    [InlineData("TIMESTAMP WITH TIME ZONE", "\"timestamp\"")]
    [InlineData("ENUM('a', 'it''s, (b)')", "\"string\"")]
    [InlineData("VARCHAR[][3]", """{"type":"array","elementType":{"type":"array","elementType":"string","containsNull":true},"containsNull":true}""")]
    [InlineData("MAP(VARCHAR, DOUBLE[])", """{"type":"map","keyType":"string","valueType":{"type":"array","elementType":"double","containsNull":true},"valueContainsNull":true}""")]
    [InlineData("STRUCT(a INTEGER, \"b\"\"c\" STRUCT(d DATE)[])", """{"type":"struct","fields":[{"name":"a","type":"integer","nullable":true,"metadata":{}},{"name":"b\u0022c","type":{"type":"array","elementType":{"type":"struct","fields":[{"name":"d","type":"date","nullable":true,"metadata":{}}]},"containsNull":true},"nullable":true,"metadata":{}}]}""")]
    public void A_DuckDB_type_has_its_Delta_type(string type, string expected)
    {
        var schema = DeltaSchema.Of([new("c", type)]);
        schema.ToString().ShouldBe($$$"""{"type":"struct","fields":[{"name":"c","type":{{{expected}}},"nullable":true,"metadata":{}}]}""");
        DeltaSchema.Parse(schema.ToString()).ToString().ShouldBe(schema.ToString());
        DeltaSchema.Of(DeltaSchema.Parse(schema.ToString()).Columns).ToString().ShouldBe(schema.ToString());
    }

    [Theory]
    [InlineData("HUGEINT", "CAST(\"c\" AS BIGINT)")]
    [InlineData("UBIGINT", "CAST(\"c\" AS DECIMAL(20,0))")]
    [InlineData("UINTEGER", "CAST(\"c\" AS BIGINT)")]
    [InlineData("TIMESTAMP", "\"c\" AT TIME ZONE 'UTC'")]
    [InlineData("TIMESTAMP_NS", "CAST(\"c\" AS TIMESTAMP) AT TIME ZONE 'UTC'")]
    [InlineData("UUID", "CAST(\"c\" AS VARCHAR)")]
    [InlineData("TIME", "CAST(\"c\" AS VARCHAR)")]
    [InlineData("INTERVAL", "CAST(\"c\" AS VARCHAR)")]
    [InlineData("STRUCT(a TIMESTAMP)[]", "the value AT TIME ZONE 'UTC'")]
    [InlineData("UNION(a INTEGER, b VARCHAR)", "VARCHAR")]
    [InlineData("STRUCT(a", "STRUCT(a")]
    [InlineData("", "'c'")]
    public void A_type_that_Delta_lacks_is_refused_with_the_cast_to_write(string type, string cast)
    {
        var error = Should.Throw<LakeException>(() => DeltaSchema.Of([new("c", type)]));
        error.Code.ShouldBe("lake.unsupported_type");
        error.Message.ShouldContain(cast);
        error.IsTransient.ShouldBeFalse();
    }

    [Theory]
    [InlineData("a b")]
    [InlineData("a=b")]
    [InlineData("")]
    public void A_name_that_Delta_refuses_is_refused(string name) =>
        Should.Throw<LakeException>(() => DeltaSchema.Of([new(name, "BIGINT")])).Code.ShouldBe("lake.bad_columns");

    [Fact]
    public void Names_that_differ_only_in_case_are_the_same_column()
    {
        Should.Throw<LakeException>(() => DeltaSchema.Of([new("a", "BIGINT"), new("A", "BIGINT")])).Code.ShouldBe("lake.bad_columns");
        Should.Throw<LakeException>(() => DeltaSchema.Of([new("a", "BIGINT")]).With(DeltaSchema.Of([new("A", "BIGINT")]), new("t"))).Message.ShouldContain("AS \"a\"");
    }

    [Fact]
    public void An_added_column_leaves_the_fields_of_another_writer_as_they_are()
    {
        const string foreign = """{"type":"struct","fields":[{"name":"a","type":"long","nullable":true,"metadata":{"comment":"x"}}]}""";
        DeltaSchema.Parse(foreign).With(DeltaSchema.Of([new("b", "DATE")]), new("t")).ToString()
            .ShouldBe("""{"type":"struct","fields":[{"name":"a","type":"long","nullable":true,"metadata":{"comment":"x"}},{"name":"b","type":"date","nullable":true,"metadata":{}}]}""");
    }
}
