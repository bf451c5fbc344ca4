using System.Globalization;
using LeanPipe.Contracts;
using LeanPipe.DuckDb;

namespace LeanPipe.StepRunner;

/// <summary>The SELECT behind the view of each input, over the local paths of its objects.</summary>
internal static class InputViews
{
    /// <summary>The name that checks read the finished chunks by; no input may have it.</summary>
    public const string Output = "output";

    /// <param name="longestLine">In bytes, when it is one that DuckDB must be told of.</param>
    /// <exception cref="TaskException"><c>task.bad_spec</c>: the input cannot be read as it stands in the task.</exception>
    public static string Select(TaskInput input, IReadOnlyList<string> paths, long? longestLine = null)
    {
        if (input.Name == Output) throw BadSpec(input, "the name is taken by the view that checks read");
        if (paths.Count > 0) return Over(input, paths, longestLine);
        return input.Columns.Count > 0
            ? Empty(input.Columns.Select(c => (c.Name, c.Type)))
            : throw BadSpec(input, "it has neither objects nor columns, so its view would have no shape");
    }

    public static string SelectOutput(IReadOnlyList<OutputColumn> columns, IReadOnlyList<string> paths) =>
        paths.Count == 0 ? Empty(columns.Select(c => (c.Name, c.Type))) : Parquet(paths, byName: false);

    /// <summary>The value that <c>getvariable</c> gives; text in the form that DuckDB casts to the type.</summary>
    public static string SetVariable(ParamValue param)
    {
        var type = param.Type switch
        {
            ParamType.String => "VARCHAR",
            ParamType.Int64 => "BIGINT",
            ParamType.Float64 => "DOUBLE",
            ParamType.Bool => "BOOLEAN",
            ParamType.Timestamp => "TIMESTAMP WITH TIME ZONE",
            _ => throw new TaskException("task.bad_spec", $"Parameter '{param.Name}' has type {param.Type}, which this version does not know."),
        };
        return string.Create(CultureInfo.InvariantCulture, $"SET VARIABLE {SqlText.Identifier(param.Name)} = CAST({SqlText.Literal(param.Value)} AS {type})");
    }

    static string Over(TaskInput input, IReadOnlyList<string> paths, long? longestLine) => input.Format switch
    {
        InputFormat.Parquet when input.Columns.Count > 0 => Columned(input, paths),
        InputFormat.Parquet => Parquet(paths, byName: paths.Count > 1),
        // A segment holds validated records: what cannot be read is damage, and stops the task.
        InputFormat.Ndjson => $"SELECT {Columns(input)} FROM read_json({SqlForm.List(paths)}, format = 'newline_delimited'{(longestLine is { } bytes ? $", maximum_object_size = {bytes}" : "")}, hive_partitioning = false, {Types(input)})",
        InputFormat.Csv => $"SELECT {Columns(input)} FROM read_csv({SqlForm.List(paths)}, header = true, strict_mode = true, hive_partitioning = false, {Types(input)})",
        _ => throw BadSpec(input, $"its format is {input.Format}, which this version does not know"),
    };

    /// <summary>
    /// Files of one table are of different ages: columns are matched by name, one that some or all files lack is null, and they come in the table's order whichever
    /// file is read first. The typed empty rows bring in what no file has.
    /// </summary>
    static string Columned(TaskInput input, IReadOnlyList<string> paths) =>
        $"SELECT {string.Join(", ", input.Columns.Select(c => SqlText.Identifier(c.Name)))} FROM ({Empty(input.Columns.Select(c => (c.Name, c.Type)))} " +
        $"UNION ALL BY NAME {Parquet(paths, byName: paths.Count > 1)})";

    /// <summary>A folder named <c>date=…</c> is a part of a key and no column.</summary>
    static string Parquet(IReadOnlyList<string> paths, bool byName) =>
        $"SELECT * FROM read_parquet({SqlForm.List(paths)}, union_by_name = {(byName ? "true" : "false")}, hive_partitioning = false)";

    static string Columns(TaskInput input) => input.Columns.Count == 0
        ? "*"
        : string.Join(", ", input.Columns.Select(c => $"{c.Expression ?? SqlText.Identifier(c.Name)} AS {SqlText.Identifier(c.Name)}"));

    /// <summary>Without given columns, types are detected over the whole file: after a sample, row 20,481 could still fail.</summary>
    static string Types(TaskInput input) => input.Columns.Count == 0
        ? "sample_size = -1"
        : $"columns = {{{string.Join(", ", input.Columns.Select(c => $"{SqlText.Literal(c.Name)}: {SqlText.Literal(c.ReadAs)}"))}}}";

    static string Empty(IEnumerable<(string Name, string Type)> columns) =>
        $"SELECT {string.Join(", ", columns.Select(c => $"CAST(NULL AS {c.Type}) AS {SqlText.Identifier(c.Name)}"))} WHERE false";

    static TaskException BadSpec(TaskInput input, string what) => new("task.bad_spec", $"Input '{input.Name}' cannot be read: {what}. The task's plan must change.");
}
