using System.Text;
using System.Text.Json;
using LeanPipe.Cli.Output;
using LeanPipe.Cli.Queries;

namespace LeanPipe.Unit.Cli;

public sealed class TextTableTests
{
    [Theory]
    [InlineData("a\u001b[2J\u0007b", "a\\x1b[2J\\x07b")]
    [InlineData("a\tb\r\nc", "a b c")]
    [InlineData("\u0085x\u009b31m", " x\\x9b31m")]
    [InlineData("Ärger 数据 😀", "Ärger 数据 😀")]
    public void What_a_device_sent_does_not_steer_the_terminal(string sent, string shown) => TextTable.Text(sent).ShouldBe(shown);

    [Fact]
    public void A_long_cell_is_cut_between_characters()
    {
        for (var before = 55; before < 60; before++)
        {
            var cell = TextTable.Text(new string('a', before) + "😀😀😀");
            cell.Length.ShouldBeLessThanOrEqualTo(60);
            Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(cell)).ShouldBe(cell, $"{before}");
        }
    }

    [Fact]
    public void Json_holds_the_keys_of_a_map_as_they_are()
    {
        var key = new string('k', 70) + "\n";
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer)) ValueJson.Write(json, new Dictionary<string, int> { [key + 1] = 1, [key + 2] = 2 });
        JsonDocument.Parse(buffer.ToArray()).RootElement.GetProperty(key + 2).GetInt32().ShouldBe(2);
    }
}
