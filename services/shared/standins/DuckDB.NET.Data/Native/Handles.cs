using System.Runtime.InteropServices;

namespace DuckDB.NET.Native;

/// <remarks>
/// DuckDB's objects share what they stand on (a result its connection, a connection its database), so the finalizers of leaked handles
/// may run in any order.
/// </remarks>
internal abstract class DuckDBHandle() : SafeHandle(0, ownsHandle: true)
{
    public override bool IsInvalid => handle == 0;

    protected abstract void Destroy(ref nint pointer);

    protected override bool ReleaseHandle()
    {
        Destroy(ref handle);
        return true;
    }
}

internal sealed class DatabaseHandle : DuckDBHandle
{
    protected override void Destroy(ref nint pointer) => NativeMethods.duckdb_close(ref pointer);
}

internal sealed class ConnectionHandle : DuckDBHandle
{
    protected override void Destroy(ref nint pointer) => NativeMethods.duckdb_disconnect(ref pointer);
}

internal sealed class ExtractedStatementsHandle : DuckDBHandle
{
    protected override void Destroy(ref nint pointer) => NativeMethods.duckdb_destroy_extracted(ref pointer);
}

internal sealed class PreparedStatementHandle : DuckDBHandle
{
    protected override void Destroy(ref nint pointer) => NativeMethods.duckdb_destroy_prepare(ref pointer);
}

internal sealed class PendingResultHandle : DuckDBHandle
{
    protected override void Destroy(ref nint pointer) => NativeMethods.duckdb_destroy_pending(ref pointer);
}

internal sealed class LogicalTypeHandle : DuckDBHandle
{
    protected override void Destroy(ref nint pointer) => NativeMethods.duckdb_destroy_logical_type(ref pointer);
}

internal sealed class DataChunkHandle : DuckDBHandle
{
    protected override void Destroy(ref nint pointer) => NativeMethods.duckdb_destroy_data_chunk(ref pointer);
}

internal sealed class ValueHandle : DuckDBHandle
{
    protected override void Destroy(ref nint pointer) => NativeMethods.duckdb_destroy_value(ref pointer);
}

/// <summary>A <see cref="ResultStruct"/> in native memory: its address stays the same for its whole life.</summary>
internal sealed unsafe class ResultHandle : DuckDBHandle
{
    public ResultHandle() => SetHandle((nint)NativeMemory.AllocZeroed((nuint)sizeof(ResultStruct)));

    /// <summary>The copy that some functions take. Valid while this handle is not disposed.</summary>
    public ResultStruct Struct
    {
        get
        {
            ObjectDisposedException.ThrowIf(IsClosed, this);
            return *(ResultStruct*)handle;
        }
    }

    protected override void Destroy(ref nint pointer)
    {
        NativeMethods.duckdb_destroy_result(pointer);
        NativeMemory.Free((void*)pointer);
    }
}
