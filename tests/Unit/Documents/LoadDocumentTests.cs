using System.Text.Json;
using LeanPipe.Contracts;
using LeanPipe.Documents;

namespace LeanPipe.Unit.Documents;

public sealed class LoadDocumentTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("leanpipe-documents-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_load_says_where_rows_go_and_needs_no_sql_of_its_own()
    {
        File.WriteAllText(Path.Combine(_folder, "s.sql"), "SELECT 1 AS id");
        var steps = PipelineDocument.Parse(Path.Combine(_folder, "p.yaml"), """
            pipeline: p
            steps:
              rows: { inputs: { raw: { stream: telemetry } }, sql: s.sql }
              plain: { inputs: { rows: rows }, load: { postgres: warehouse, table: temperatures } }
              keyed:
                inputs: { rows: rows }
                sql: s.sql
                load:
                  postgres: ware-house
                  table: news.articles
                  key: [id, part]
                  mode: insert
                  lookups:
                    publication_id: { table: publications, match: { name: publication, country: land }, id: key }
            """).Require().Steps;

        var plain = steps.Single(s => s.Name.Value == "plain");
        (plain.Sql, plain.Cache).ShouldBe(("SELECT * FROM \"rows\"", false), "what is in a database is not taken from a cache");
        plain.Load.ShouldNotBeNull().ShouldSatisfyAllConditions(
            l => (l.Connection, l.Table, l.Mode).ShouldBe(("warehouse", "temperatures", LoadMode.Insert)), l => l.Key.ShouldBeEmpty());
        var keyed = steps.Single(s => s.Name.Value == "keyed").Load.ShouldNotBeNull();
        (keyed.Connection, keyed.Table, keyed.Mode, string.Join(',', keyed.Key)).ShouldBe(("ware-house", "news.articles", LoadMode.Insert, "id,part"));
        var lookup = keyed.Lookups.ShouldHaveSingleItem();
        (lookup.Column, lookup.Table, lookup.Id).ShouldBe(("publication_id", "publications", "key"));
        lookup.Match.ShouldBe([new("name", "publication"), new("country", "land")]);
        JsonSerializer.Serialize(keyed, ContractsJson.Default.LoadDefinition).ShouldBe(
            """{"connection":"ware-house","table":"news.articles","key":["id","part"],"mode":"insert","lookups":[{"column":"publication_id","table":"publications","match":[{"column":"name","from":"publication"},{"column":"country","from":"land"}],"id":"key"}]}""");
    }
}
