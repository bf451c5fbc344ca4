using System.Runtime.InteropServices;

namespace DuckDB.NET.Native;

/// <summary>How far the running query is. Recorded only while the setting enable_progress_bar is on.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct DuckDBQueryProgress
{
    /// <summary>0 to 100, or -1 when DuckDB does not know.</summary>
    public double Percentage;
    public ulong RowsProcessed;
    public ulong TotalRowsToProcess;
}
