using System.Collections;
using System.Numerics;
using System.Text;
using DuckDB.NET.Native;
using static DuckDB.NET.Native.NativeMethods;

namespace DuckDB.NET.Data;

/// <summary>Binds parameters by name when one has a name, else by position; a value's CLR type decides, DuckDB casts to what the statement needs.</summary>
internal static unsafe class ParameterBinding
{
    public static void Bind(PreparedStatementHandle statement, DuckDBParameterCollection parameters)
    {
        var expected = duckdb_nparams(statement);
        if ((ulong)parameters.Count < expected)
            throw new InvalidOperationException($"The statement takes {expected} parameters; {parameters.Count} were given.");

        var byName = parameters.Cast<DuckDBParameter>().Any(p => p.ParameterName.Length > 0);
        for (var i = 0; i < parameters.Count; i++)
        {
            var index = (ulong)i + 1;
            // A command of several statements has the names of all of them; a statement takes its own.
            if (byName && duckdb_bind_parameter_index(statement, out index, parameters[i].ParameterName.TrimStart('$', '@')) != 0)
                continue;
            if (!byName && index > expected)
                break;
            using var value = Create(parameters[i].Value, duckdb_param_type(statement, index));
            if (duckdb_bind_value(statement, index, value) != 0)
                throw new InvalidOperationException($"DuckDB did not take parameter {index}: {System.Runtime.InteropServices.Marshal.PtrToStringUTF8(duckdb_prepare_error(statement))}");
        }
    }

    static ValueHandle Create(object? value, TypeId wanted) => value switch
    {
        null or DBNull => duckdb_create_null_value(),
        bool v => duckdb_create_bool(v),
        sbyte v => duckdb_create_int8(v),
        byte v => duckdb_create_uint8(v),
        short v => duckdb_create_int16(v),
        ushort v => duckdb_create_uint16(v),
        int v => duckdb_create_int32(v),
        uint v => duckdb_create_uint32(v),
        long v => duckdb_create_int64(v),
        ulong v => duckdb_create_uint64(v),
        BigInteger v => duckdb_create_hugeint(new HugeInt((UInt128)(Int128)v)),
        float v => duckdb_create_float(v),
        double v => duckdb_create_double(v),
        decimal v => CreateDecimal(v),
        string v => CreateText(v),
        Guid v => duckdb_create_uuid(new HugeInt(new UInt128(
            System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(v.ToByteArray(bigEndian: true)),
            System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(v.ToByteArray(bigEndian: true).AsSpan(8))))),
        DateTime v when wanted == TypeId.TimestampTz => duckdb_create_timestamp_tz(Moment.ToMicros(v)),
        DateTime v => duckdb_create_timestamp(Moment.ToMicros(v)),
        DateTimeOffset v => duckdb_create_timestamp_tz(Moment.ToMicros(v.UtcDateTime)),
        DateOnly v => duckdb_create_date(v.DayNumber - Moment.EpochDay),
        TimeOnly v => duckdb_create_time(v.Ticks / TimeSpan.TicksPerMicrosecond),
        TimeSpan v => duckdb_create_interval(new IntervalStruct(0, v.Days, (v.Ticks - v.Days * TimeSpan.TicksPerDay) / TimeSpan.TicksPerMicrosecond)),
        byte[] v => CreateBlob(v),
        Enum v => CreateText(v.ToString()),
        ICollection v => CreateList(v),
        _ => CreateText(value.ToString() ?? ""),
    };

    static ValueHandle CreateText(string text)
    {
        var utf8 = Encoding.UTF8.GetBytes(text);
        fixed (byte* data = utf8)
            return duckdb_create_varchar_length(data, (ulong)utf8.Length);
    }

    static ValueHandle CreateBlob(byte[] bytes)
    {
        fixed (byte* data = bytes)
            return duckdb_create_blob(data, (ulong)bytes.Length);
    }

    static ValueHandle CreateDecimal(decimal value)
    {
        Span<int> bits = stackalloc int[4];
        decimal.GetBits(value, bits);
        var magnitude = new UInt128((uint)bits[2], ((ulong)(uint)bits[1] << 32) | (uint)bits[0]);
        var digits = 1;
        for (var rest = magnitude; rest >= 10; rest /= 10)
            digits++;
        var mantissa = value < 0 ? (UInt128)(-(Int128)magnitude) : magnitude;
        return duckdb_create_decimal(new DecimalStruct((byte)Math.Max(digits, value.Scale + 1), value.Scale, new HugeInt(mantissa)));
    }

    static ValueHandle CreateList(ICollection values)
    {
        var element = values.GetType() is { IsArray: true } array
            ? array.GetElementType()!
            : values.GetType().GetInterfaces().FirstOrDefault(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IEnumerable<>))?.GetGenericArguments()[0] ?? typeof(object);
        using var childType = ElementType(Nullable.GetUnderlyingType(element) ?? element);
        var handles = values.Cast<object?>().Select(item => Create(item, TypeId.Invalid)).ToArray();
        try
        {
            var pointers = Array.ConvertAll(handles, handle => handle.DangerousGetHandle());
            fixed (nint* data = pointers)
                return duckdb_create_list_value(childType, data, (ulong)pointers.Length);
        }
        finally
        {
            Array.ForEach(handles, handle => handle.Dispose());
        }
    }

    static LogicalTypeHandle ElementType(Type type) => Type.GetTypeCode(type) switch
    {
        TypeCode.Boolean => duckdb_create_logical_type(TypeId.Boolean),
        TypeCode.SByte => duckdb_create_logical_type(TypeId.TinyInt),
        TypeCode.Byte => duckdb_create_logical_type(TypeId.UnsignedTinyInt),
        TypeCode.Int16 => duckdb_create_logical_type(TypeId.SmallInt),
        TypeCode.UInt16 => duckdb_create_logical_type(TypeId.UnsignedSmallInt),
        TypeCode.Int32 => duckdb_create_logical_type(TypeId.Integer),
        TypeCode.UInt32 => duckdb_create_logical_type(TypeId.UnsignedInteger),
        TypeCode.Int64 => duckdb_create_logical_type(TypeId.BigInt),
        TypeCode.UInt64 => duckdb_create_logical_type(TypeId.UnsignedBigInt),
        TypeCode.Single => duckdb_create_logical_type(TypeId.Float),
        TypeCode.Double => duckdb_create_logical_type(TypeId.Double),
        TypeCode.DateTime => duckdb_create_logical_type(TypeId.Timestamp),
        // Wide enough for every System.Decimal with up to ten places.
        TypeCode.Decimal => duckdb_create_decimal_type(38, 10),
        _ when type == typeof(DateOnly) => duckdb_create_logical_type(TypeId.Date),
        _ when type == typeof(DateTimeOffset) => duckdb_create_logical_type(TypeId.TimestampTz),
        _ when type == typeof(Guid) => duckdb_create_logical_type(TypeId.Uuid),
        _ => duckdb_create_logical_type(TypeId.Varchar),
    };
}
