namespace LeanPipe.Documents.Yaml;

/// <summary>YAML's three shapes with their places. Scalars stay text: what a text means is up to the key that holds it, so <c>no</c> and <c>1.10</c> survive.</summary>
abstract record YamlNode(Position At)
{
    /// <summary>What the node is, for a message.</summary>
    public abstract string Shape { get; }
}

sealed record TextNode(Position At, string Text, bool Quoted) : YamlNode(At)
{
    public bool IsNull => !Quoted && Text is "" or "~" or "null";

    public override string Shape => IsNull ? "nothing" : $"'{Text}'";
}

sealed record ListNode(Position At, IReadOnlyList<YamlNode> Items) : YamlNode(At)
{
    public override string Shape => "a list";
}

sealed record MapNode(Position At, IReadOnlyList<MapEntry> Entries) : YamlNode(At)
{
    public override string Shape => "a map";
}

sealed record MapEntry(TextNode Key, YamlNode Value);
