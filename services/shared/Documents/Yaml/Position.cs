using System.Runtime.InteropServices;

namespace LeanPipe.Documents.Yaml;

/// <summary>A place in a text, both counted from 1.</summary>
[StructLayout(LayoutKind.Auto)]
readonly record struct Position(int Line, int Column)
{
    public static readonly Position Start = new(1, 1);
}
