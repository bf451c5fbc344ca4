using LeanPipe.Contracts;
using LeanPipe.StepRunner.Load;

namespace LeanPipe.Unit.StepRunner;

public sealed class LoadSqlTests
{
    [Theory]
    [InlineData("INTEGER", "bigint", true)]
    [InlineData("INTEGER", "smallint", false)]
    [InlineData("INTEGER", "real", false)]
    [InlineData("INTEGER", "numeric(10,0)", true)]
    [InlineData("INTEGER", "numeric(10,2)", false)]
    [InlineData("BIGINT", "numeric", true)]
    [InlineData("BIGINT", "double precision", false)]
    [InlineData("FLOAT", "double precision", true)]
    [InlineData("DOUBLE", "real", false)]
    [InlineData("DOUBLE", "numeric", false)]
    [InlineData("DECIMAL(10,2)", "numeric(12,4)", true)]
    [InlineData("DECIMAL(10,2)", "numeric(10,4)", false)]
    [InlineData("DECIMAL(10,2)", "numeric(12,1)", false)]
    [InlineData("VARCHAR", "uuid", true)]
    [InlineData("VARCHAR", "jsonb", true)]
    [InlineData("TIMESTAMP WITH TIME ZONE", "timestamp without time zone", false)]
    [InlineData("BOOLEAN", "integer", false)]
    public void A_type_fits_where_nothing_can_be_lost_without_a_word(string type, string column, bool fits) => PostgresType.Of(type)!.FitsInto(column).ShouldBe(fits);

    [Theory]
    [InlineData("INTEGER[]")]
    [InlineData("STRUCT(a INTEGER)")]
    [InlineData("DECIMAL(10,2)[]")]
    public void Nested_types_have_no_column(string type) => PostgresType.Of(type).ShouldBeNull();

    [Fact]
    public void Names_are_quoted_wherever_they_stand()
    {
        const string evil = "a\"; DROP TABLE x; --";
        var load = new LoadDefinition { Connection = "c", Table = "s.t", Mode = LoadMode.Merge, Key = [evil] };
        TargetColumn[] columns = [new(evil, $"s.{LoadSql.Name(evil)}", "text"), new("v", "s.\"v\"", "json")];
        const string quoted = "\"a\"\"; DROP TABLE x; --\"";
        LoadSql.CreateTarget(load, columns).ShouldBe($"CREATE TABLE IF NOT EXISTS \"s\".\"t\" ({quoted} text, \"v\" json, PRIMARY KEY ({quoted}))");
        LoadSql.Update(load, columns).ShouldBe($"UPDATE \"s\".\"t\" t SET \"v\" = r.\"v\" FROM leanpipe_rows r WHERE t.{quoted} = r.{quoted} AND (t.\"v\"::text) IS DISTINCT FROM (r.\"v\"::text)");
        LoadSql.Update(load, columns[..1]).ShouldBeNull("a row that is nothing but its key has nothing to update");
    }
}
