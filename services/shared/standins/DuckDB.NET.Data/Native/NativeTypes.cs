using System.Runtime.InteropServices;

namespace DuckDB.NET.Native;

/// <summary>Logical types (duckdb_logical_type) and values (duckdb_value) of the C API.</summary>
internal static unsafe partial class NativeMethods
{
    [LibraryImport(Library)]
    public static partial LogicalTypeHandle duckdb_create_logical_type(TypeId type);

    [LibraryImport(Library)]
    public static partial LogicalTypeHandle duckdb_create_decimal_type(byte width, byte scale);

    [LibraryImport(Library)]
    public static partial void duckdb_destroy_logical_type(ref nint type);

    [LibraryImport(Library)]
    public static partial TypeId duckdb_get_type_id(LogicalTypeHandle type);

    [LibraryImport(Library)]
    public static partial byte duckdb_decimal_width(LogicalTypeHandle type);

    [LibraryImport(Library)]
    public static partial byte duckdb_decimal_scale(LogicalTypeHandle type);

    [LibraryImport(Library)]
    public static partial TypeId duckdb_decimal_internal_type(LogicalTypeHandle type);

    [LibraryImport(Library)]
    public static partial TypeId duckdb_enum_internal_type(LogicalTypeHandle type);

    [LibraryImport(Library)]
    public static partial uint duckdb_enum_dictionary_size(LogicalTypeHandle type);

    /// <summary>The returned text is the caller's, to be freed by <see cref="duckdb_free"/>.</summary>
    [LibraryImport(Library)]
    public static partial nint duckdb_enum_dictionary_value(LogicalTypeHandle type, ulong index);

    [LibraryImport(Library)]
    public static partial LogicalTypeHandle duckdb_list_type_child_type(LogicalTypeHandle type);

    [LibraryImport(Library)]
    public static partial LogicalTypeHandle duckdb_array_type_child_type(LogicalTypeHandle type);

    [LibraryImport(Library)]
    public static partial ulong duckdb_array_type_array_size(LogicalTypeHandle type);

    [LibraryImport(Library)]
    public static partial LogicalTypeHandle duckdb_map_type_key_type(LogicalTypeHandle type);

    [LibraryImport(Library)]
    public static partial LogicalTypeHandle duckdb_map_type_value_type(LogicalTypeHandle type);

    [LibraryImport(Library)]
    public static partial ulong duckdb_struct_type_child_count(LogicalTypeHandle type);

    /// <summary>The returned text is the caller's, to be freed by <see cref="duckdb_free"/>.</summary>
    [LibraryImport(Library)]
    public static partial nint duckdb_struct_type_child_name(LogicalTypeHandle type, ulong index);

    [LibraryImport(Library)]
    public static partial LogicalTypeHandle duckdb_struct_type_child_type(LogicalTypeHandle type, ulong index);

    [LibraryImport(Library)]
    public static partial void duckdb_destroy_value(ref nint value);

    [LibraryImport(Library)]
    public static partial ValueHandle duckdb_create_null_value();

    [LibraryImport(Library)]
    public static partial ValueHandle duckdb_create_bool([MarshalAs(UnmanagedType.U1)] bool value);

    [LibraryImport(Library)]
    public static partial ValueHandle duckdb_create_int8(sbyte value);

    [LibraryImport(Library)]
    public static partial ValueHandle duckdb_create_uint8(byte value);

    [LibraryImport(Library)]
    public static partial ValueHandle duckdb_create_int16(short value);

    [LibraryImport(Library)]
    public static partial ValueHandle duckdb_create_uint16(ushort value);

    [LibraryImport(Library)]
    public static partial ValueHandle duckdb_create_int32(int value);

    [LibraryImport(Library)]
    public static partial ValueHandle duckdb_create_uint32(uint value);

    [LibraryImport(Library)]
    public static partial ValueHandle duckdb_create_int64(long value);

    [LibraryImport(Library)]
    public static partial ValueHandle duckdb_create_uint64(ulong value);

    [LibraryImport(Library)]
    public static partial ValueHandle duckdb_create_hugeint(HugeInt value);

    [LibraryImport(Library)]
    public static partial ValueHandle duckdb_create_uuid(HugeInt value);

    [LibraryImport(Library)]
    public static partial ValueHandle duckdb_create_decimal(DecimalStruct value);

    [LibraryImport(Library)]
    public static partial ValueHandle duckdb_create_float(float value);

    [LibraryImport(Library)]
    public static partial ValueHandle duckdb_create_double(double value);

    [LibraryImport(Library)]
    public static partial ValueHandle duckdb_create_date(int days);

    [LibraryImport(Library)]
    public static partial ValueHandle duckdb_create_time(long micros);

    [LibraryImport(Library)]
    public static partial ValueHandle duckdb_create_timestamp(long micros);

    [LibraryImport(Library)]
    public static partial ValueHandle duckdb_create_timestamp_tz(long micros);

    [LibraryImport(Library)]
    public static partial ValueHandle duckdb_create_interval(IntervalStruct value);

    [LibraryImport(Library)]
    public static partial ValueHandle duckdb_create_varchar_length(byte* text, ulong length);

    [LibraryImport(Library)]
    public static partial ValueHandle duckdb_create_blob(byte* data, ulong length);

    [LibraryImport(Library)]
    public static partial ValueHandle duckdb_create_list_value(LogicalTypeHandle childType, nint* values, ulong count);
}

/// <summary>duckdb_type.</summary>
internal enum TypeId
{
    Invalid, Boolean, TinyInt, SmallInt, Integer, BigInt, UnsignedTinyInt, UnsignedSmallInt, UnsignedInteger, UnsignedBigInt,
    Float, Double, Timestamp, Date, Time, Interval, HugeInt, Varchar, Blob, Decimal, TimestampS, TimestampMs, TimestampNs,
    Enum, List, Struct, Map, Uuid, Union, Bit, TimeTz, TimestampTz, UnsignedHugeInt, Array, Any, VarInt, SqlNull,
}

/// <summary>duckdb_hugeint and duckdb_uhugeint: two little-endian halves.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly struct HugeInt(UInt128 bits)
{
    public readonly ulong Lower = (ulong)bits;
    public readonly ulong Upper = (ulong)(bits >> 64);
    public Int128 Signed => new(Upper, Lower);
    public UInt128 Unsigned => new(Upper, Lower);
}

[StructLayout(LayoutKind.Sequential)]
internal readonly struct DecimalStruct(byte width, byte scale, HugeInt value)
{
    public readonly byte Width = width;
    public readonly byte Scale = scale;
    public readonly HugeInt Value = value;
}

[StructLayout(LayoutKind.Sequential)]
internal readonly struct IntervalStruct(int months, int days, long micros)
{
    public readonly int Months = months;
    public readonly int Days = days;
    public readonly long Micros = micros;
}

[StructLayout(LayoutKind.Sequential)]
internal readonly struct ListEntry
{
    public readonly ulong Offset;
    public readonly ulong Length;
}

/// <summary>duckdb_result: five fields that are out of use, and a pointer. The C API takes it by address, or copied.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ResultStruct
{
    public ulong ColumnCount, RowCount, RowsChanged;
    public nint Columns, ErrorMessage, InternalData;
}
