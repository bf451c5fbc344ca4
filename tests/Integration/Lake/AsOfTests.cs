using LeanPipe.Cli;
using LeanPipe.Cli.Queries;
using LeanPipe.Contracts;
using LeanPipe.Lake;
using LeanPipe.Tables;
using static LeanPipe.Integration.Lake.PublishFixture;
using static LeanPipe.Integration.Lake.RealRows;

namespace LeanPipe.Integration.Lake;

/// <summary>What `leanpipe query --as-of` opens.</summary>
public sealed class AsOfTests
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_table_is_queried_as_it_was_at_a_version_or_at_an_instant()
    {
        await using var at = TestStore.Folder();
        await PublishSqlAsync(at.Store, Hour(10), "SELECT 1 AS id");
        var then = (await DeltaTable.OpenAsync(at.Store, Table, Token))!.CommittedAt;
        await PublishSqlAsync(at.Store, Hour(10), "SELECT 2 AS id, 'new' AS added", revision: 2, mode: PublishMode.ReplaceWindow);
        (await IdsAsync(at.Store, null)).ShouldBe("id,added: 2");
        (await IdsAsync(at.Store, AsOf.Parse("0"))).ShouldBe("id: 1");
        (await IdsAsync(at.Store, AsOf.Parse("1"))).ShouldBe("id,added: 2");
        (await IdsAsync(at.Store, AsOf.Parse("2099-01-01"))).ShouldBe("id,added: 2");
        var second = (await DeltaTable.OpenAsync(at.Store, Table, Token))!.CommittedAt;
        if (second > then) (await IdsAsync(at.Store, AsOf.Parse(then.ToString("O")))).ShouldBe("id: 1");
        (await Should.ThrowAsync<UsageException>(() => IdsAsync(at.Store, AsOf.Parse("7")))).Message.ShouldContain("the newest is 1");
        Should.Throw<UsageException>(() => AsOf.Parse("yesterday")).Message.ShouldContain("a timestamp such as");
    }

    static async Task<string> IdsAsync(IObjectStore store, AsOf? asOf)
    {
        var sql = $"SELECT * FROM {Table}";
        using var tables = await TableSession.OpenAsync(store, sql, Token, asOf);
        using var rows = tables.Session.Query(sql);
        var ids = new List<string>();
        while (rows.Read()) ids.Add($"{rows.GetValue(0)}");
        return $"{string.Join(',', rows.Names)}: {string.Join(',', ids)}";
    }
}
