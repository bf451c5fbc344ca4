using System.Runtime.InteropServices;

namespace LeanPipe.Benchmarks.Pipelines;

/// <summary>Takes memory from the machine and gives it back, before each side of a comparison.</summary>
/// <remarks>A virtual machine may have returned free pages to its host, and whoever writes next pays for getting them back: up to ten times the write itself, and not by what it does.</remarks>
static class WarmPages
{
    /// <summary>The inputs in the page cache, the outputs, and what a process of a comparison takes.</summary>
    const int Bytes = 2_000_000_000;

    public static void Touch()
    {
        var memory = Marshal.AllocHGlobal(Bytes);
        for (nint at = 0; at < Bytes; at += 4096) Marshal.WriteByte(memory + at, 1);
        Marshal.FreeHGlobal(memory);
    }
}
