using LeanPipe.Contracts;
using LeanPipe.StepRunner;

namespace LeanPipe.Unit.StepRunner;

public sealed class InputViewsTests
{
    static readonly SegmentColumn[] Columns =
    [
        new("id", "BIGINT", "BIGINT"), new("at", "BIGINT", "TIMESTAMP WITH TIME ZONE", "to_timestamp(\"at\" / 1000)"),
    ];

    [Fact]
    public void Ndjson_is_read_with_the_given_types_and_shown_through_the_expressions() =>
        InputViews.Select(new("raw", InputFormat.Ndjson, Columns, []), ["/a'b/1.ndjson"]).ShouldBe(
            """SELECT "id" AS "id", to_timestamp("at" / 1000) AS "at" FROM read_json(['/a''b/1.ndjson'], format = 'newline_delimited', hive_partitioning = false, columns = {'id': 'BIGINT', 'at': 'BIGINT'})""");

    [Fact]
    public void An_input_without_objects_keeps_its_columns() =>
        InputViews.Select(new("raw", InputFormat.Ndjson, Columns, []), []).ShouldBe(
            """SELECT CAST(NULL AS BIGINT) AS "id", CAST(NULL AS TIMESTAMP WITH TIME ZONE) AS "at" WHERE false""");

    [Fact]
    public void An_input_without_objects_and_columns_has_no_shape() =>
        Should.Throw<TaskException>(() => InputViews.Select(new("raw", InputFormat.Parquet, [], []), [])).Code.ShouldBe("task.bad_spec");

    [Fact]
    public void No_input_may_take_the_name_that_checks_read() =>
        Should.Throw<TaskException>(() => InputViews.Select(new("output", InputFormat.Ndjson, Columns, []), [])).Message.ShouldContain("'output'");

    [Fact]
    public void A_parameter_is_a_value_and_never_becomes_sql() =>
        InputViews.SetVariable(new("kind", ParamType.String, "'; DROP")).ShouldBe("SET VARIABLE \"kind\" = CAST('''; DROP' AS VARCHAR)");
}
