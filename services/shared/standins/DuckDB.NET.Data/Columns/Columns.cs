using System.Runtime.InteropServices;
using DuckDB.NET.Native;
using static DuckDB.NET.Native.NativeMethods;

namespace DuckDB.NET.Data;

/// <summary>Which column reads which DuckDB type.</summary>
internal static class Columns
{
    public static Column Create(string name, LogicalTypeHandle logical) => duckdb_get_type_id(logical) switch
    {
        TypeId.Boolean => new BooleanColumn(name),
        TypeId.TinyInt => new NumberColumn<sbyte>(name, TypeId.TinyInt),
        TypeId.SmallInt => new NumberColumn<short>(name, TypeId.SmallInt),
        TypeId.Integer => new NumberColumn<int>(name, TypeId.Integer),
        TypeId.BigInt => new NumberColumn<long>(name, TypeId.BigInt),
        TypeId.UnsignedTinyInt => new NumberColumn<byte>(name, TypeId.UnsignedTinyInt),
        TypeId.UnsignedSmallInt => new NumberColumn<ushort>(name, TypeId.UnsignedSmallInt),
        TypeId.UnsignedInteger => new NumberColumn<uint>(name, TypeId.UnsignedInteger),
        TypeId.UnsignedBigInt => new NumberColumn<ulong>(name, TypeId.UnsignedBigInt),
        TypeId.Float => new NumberColumn<float>(name, TypeId.Float),
        TypeId.Double => new NumberColumn<double>(name, TypeId.Double),
        TypeId.HugeInt => new HugeIntColumn(name, TypeId.HugeInt),
        TypeId.UnsignedHugeInt => new HugeIntColumn(name, TypeId.UnsignedHugeInt),
        TypeId.Decimal => new DecimalColumn(name, logical),
        TypeId.Varchar => new TextColumn(name),
        TypeId.Blob => new BlobColumn(name),
        TypeId.Bit => new BitColumn(name),
        TypeId.Uuid => new UuidColumn(name),
        TypeId.Enum => new EnumColumn(name, logical),
        TypeId.Date => new DateColumn(name),
        TypeId.Time => new TimeColumn(name),
        TypeId.TimeTz => new TimeTzColumn(name),
        TypeId.Interval => new IntervalColumn(name),
        TypeId.Timestamp or TypeId.TimestampS or TypeId.TimestampMs or TypeId.TimestampNs or TypeId.TimestampTz => new TimestampColumn(name, duckdb_get_type_id(logical)),
        TypeId.List => new ListColumn(name, Child(name, duckdb_list_type_child_type(logical)), fixedSize: null),
        TypeId.Array => new ListColumn(name, Child(name, duckdb_array_type_child_type(logical)), duckdb_array_type_array_size(logical)),
        TypeId.Map => new MapColumn(name, Child(name, duckdb_map_type_key_type(logical)), Child(name, duckdb_map_type_value_type(logical))),
        TypeId.Struct => new StructColumn(name, Fields(logical)),
        var type => new UnreadableColumn(name, type),
    };

    static Column[] Fields(LogicalTypeHandle logical)
    {
        var fields = new Column[duckdb_struct_type_child_count(logical)];
        for (var i = 0; i < fields.Length; i++)
        {
            var text = duckdb_struct_type_child_name(logical, (ulong)i);
            fields[i] = Child(Marshal.PtrToStringUTF8(text) ?? "", duckdb_struct_type_child_type(logical, (ulong)i));
            duckdb_free(text);
        }

        return fields;
    }

    static Column Child(string name, LogicalTypeHandle logical)
    {
        using (logical)
            return Create(name, logical);
    }
}
