using LeanPipe.Lake;

namespace LeanPipe.Unit.Lake;

public sealed class LakeOptionsTests
{
    static readonly LakeOptions S3 = new()
    {
        Root = "s3://bucket/pre/fix",
        Endpoint = new Uri("http://10.0.0.1:9000"),
        Region = "eu-central-1",
        PathStyle = true,
        AccessKey = "AKID",
        SecretKey = "very-secret",
        SessionToken = "very-token",
    };

    [Fact]
    public void The_environment_gives_a_child_the_same_lake() =>
        LakeOptions.From(name => S3.ToEnvironment().GetValueOrDefault(name)).ShouldBe(S3);

    [Fact]
    public void A_relative_folder_is_the_same_folder_for_a_child() =>
        new LakeOptions { Root = "lake" }.ToEnvironment()[LakeOptions.RootVariable].ShouldBe(Path.GetFullPath("lake"));

    [Fact]
    public void Text_shows_no_secret()
    {
        var text = S3.ToString();
        text.ShouldContain("s3://bucket/pre/fix");
        foreach (var secret in new[] { "AKID", "very-secret", "very-token" }) text.ShouldNotContain(secret);
    }

    [Fact]
    public void All_broken_rules_are_reported_at_once()
    {
        var environment = new Dictionary<string, string> { [LakeOptions.EndpointVariable] = "not a url", [LakeOptions.PathStyleVariable] = "maybe" };
        var message = Should.Throw<LakeException>(() => LakeOptions.From(name => environment.GetValueOrDefault(name))).Message;
        foreach (var expected in new[] { LakeOptions.RootVariable, LakeOptions.EndpointVariable, LakeOptions.PathStyleVariable }) message.ShouldContain(expected);

        var wrong = new LakeOptions { Root = "s3://b/../x?y", Endpoint = new Uri("ftp://h"), SecretKey = "s" };
        wrong.Validate().Count.ShouldBe(3);
        Should.Throw<LakeException>(() => ObjectStores.Open(wrong)).Code.ShouldBe("lake.bad_options");
        new LakeOptions { Root = "gs://bucket" }.Validate().ShouldHaveSingleItem().ShouldContain("gs");
    }
}
