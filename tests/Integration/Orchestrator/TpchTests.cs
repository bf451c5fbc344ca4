using Dapr.Workflow;
using LeanPipe.DuckDb;
using LeanPipe.Lake;

namespace LeanPipe.Integration.Orchestrator;

/// <summary>The summaries of tests/pipelines/tpch over generated chunks, against one query over all rows.</summary>
public sealed class TpchTests
{
    const int Lines = 20_000;
    const int Orders = 5_000;

    // The columns that the summaries read, with as many groups as the benchmark's own data; every value follows from the row's number.
    const string LineItem = """
        SELECT ['A', 'N', 'R'][1 + CAST(hash(i) % 3 AS INTEGER)] AS l_returnflag, ['F', 'O'][1 + CAST(hash(i + 1) % 2 AS INTEGER)] AS l_linestatus,
          CAST(1 + hash(i + 2) % 50 AS DECIMAL(15,2)) AS l_quantity, CAST((90000 + hash(i + 3) % 9000000) / 100.0 AS DECIMAL(15,2)) AS l_extendedprice,
          CAST((hash(i + 4) % 11) / 100.0 AS DECIMAL(15,2)) AS l_discount, DATE '1992-01-02' + CAST(hash(i + 5) % 2526 AS INTEGER) AS l_shipdate
        """;

    const string OrderRows = """
        SELECT ['1-URGENT', '2-HIGH', '3-MEDIUM', '4-NOT SPECIFIED', '5-LOW'][1 + CAST(hash(i) % 5 AS INTEGER)] AS o_orderpriority,
          ['F', 'O', 'P'][1 + CAST(hash(i + 1) % 3 AS INTEGER)] AS o_orderstatus, CAST((85000 + hash(i + 2) % 50000000) / 100.0 AS DECIMAL(15,2)) AS o_totalprice,
          DATE '1992-01-01' + CAST(hash(i + 3) % 2406 AS INTEGER) AS o_orderdate
        """;

    const string LineItemAnswer = """
        SELECT l_returnflag, l_linestatus, sum(l_quantity) AS sum_qty, sum(l_extendedprice) AS sum_base_price, sum(l_extendedprice * (1 - l_discount)) AS sum_disc_price,
          CAST(sum(l_quantity) / count(*) AS DOUBLE) AS avg_qty, CAST(sum(l_discount) / count(*) AS DOUBLE) AS avg_disc, count(*) AS count_order
        FROM rows WHERE l_shipdate <= DATE '1998-09-02' GROUP BY ALL ORDER BY ALL
        """;

    const string OrdersAnswer = """
        SELECT o_orderpriority, o_orderstatus, count(*) AS orders, sum(o_totalprice) AS total, min(o_orderdate) AS first_day, max(o_orderdate) AS last_day
        FROM rows GROUP BY ALL ORDER BY ALL
        """;

    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    [InlineData(64)]
    public async Task Summaries_over_chunks_equal_the_unchunked_answer(int chunks)
    {
        await using var lab = await PipelineCase.StartAsync("tpch");
        var scratch = Directory.CreateTempSubdirectory("leanpipe-tpch-");
        using (var session = DuckDbSession.Open(new() { ScratchDirectory = scratch.FullName }))
        {
            await GenerateAsync(lab.Store, session, scratch, "lineitem", LineItem, Lines, chunks);
            await GenerateAsync(lab.Store, session, scratch, "orders", OrderRows, Orders, chunks);

            var state = await lab.RunAsync("r", new { pipeline = "tpch", window = "2026-01-01" });

            state.RuntimeStatus.ShouldBe(WorkflowRuntimeStatus.Completed, $"{state.FailureDetails}");
            (await lab.RowsAsync("lineitem_summary", "SELECT *")).ShouldBe(Answer(session, LineItem, Lines, LineItemAnswer));
            (await lab.RowsAsync("orders_summary", "SELECT *")).ShouldBe(Answer(session, OrderRows, Orders, OrdersAnswer));
            (await lab.ViewAsync("r")).GetProperty("steps")[0].GetProperty("tasks").GetInt32().ShouldBe(chunks);
        }
        scratch.Delete(recursive: true);
    }

    static async Task GenerateAsync(IObjectStore store, DuckDbSession session, DirectoryInfo scratch, string table, string select, int rows, int chunks)
    {
        for (var n = 0; n < chunks; n++)
        {
            var file = Path.Combine(scratch.FullName, $"{table}-{n:D2}.parquet");
            session.Execute($"COPY ({select} FROM range({(long)rows * n / chunks}, {(long)rows * (n + 1) / chunks}) t(i)) TO '{file}' (FORMAT parquet)");
            await store.PutFileAsync($"imports/{table}/{n:D2}.parquet", file, default);
        }
    }

    static IReadOnlyList<string> Answer(DuckDbSession session, string select, int rows, string answer)
    {
        session.CreateView("rows", $"{select} FROM range({rows}) t(i)");
        return PipelineCase.Rows(session, answer);
    }
}
