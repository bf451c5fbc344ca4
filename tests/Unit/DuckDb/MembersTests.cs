using System.Reflection;
using DuckDB.NET.Data;
using LeanPipe.Unit.Repository;
using DuckDB.NET.Native;

namespace LeanPipe.Unit.DuckDb;

/// <summary>golden/duckdb/members.txt holds members of the official DuckDB.NET.Data 1.5 (and the two types of DuckDB.NET.Bindings that they show).</summary>
public sealed class MembersTests
{
    static readonly bool IsStandIn = typeof(DuckDBErrorType).Assembly == typeof(DuckDBConnection).Assembly;

    [Fact]
    public void The_stand_in_has_no_public_member_that_the_official_package_lacks()
    {
        if (!IsStandIn)
            Assert.Skip("Built with the official package.");
        Members().Except(Golden()).ShouldBeEmpty();
    }

    [Fact]
    public void Every_listed_member_exists() => Golden().Except(Members()).ShouldBeEmpty();

    static string[] Golden() => File.ReadAllLines(Path.Combine(Tree.Root, "tests/golden/duckdb/members.txt"));

    static IEnumerable<string> Members() =>
        from type in new[] { typeof(DuckDBConnection).Assembly, typeof(DuckDBErrorType).Assembly }.Distinct().SelectMany(assembly => assembly.GetExportedTypes())
        from member in type.GetMembers(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly)
        where !Overrides(member) && member is not MethodInfo { IsSpecialName: true }
        select $"{type.Name}.{Describe(member)}";

    // A base class of System.Data has it too, so nobody can bind to the stand-in's.
    static bool Overrides(MemberInfo member) => member switch
    {
        MethodInfo method => method.GetBaseDefinition().DeclaringType != method.DeclaringType,
        PropertyInfo property => property.GetAccessors().Any(accessor => accessor.GetBaseDefinition().DeclaringType != accessor.DeclaringType),
        _ => false,
    };

    static string Describe(MemberInfo member) => member switch
    {
        MethodBase method => $"{method.Name}({string.Join(", ", method.GetParameters().Select(parameter => parameter.ParameterType.Name))})",
        PropertyInfo property when property.GetIndexParameters() is { Length: > 0 } index => $"{property.Name}[{index[0].ParameterType.Name}]",
        _ => member.Name,
    };
}
